"""The smoke test waits for the DNS record of a new domain, but not forever."""

import socket

import pytest

from tests.smoke.journey import SmokeError
from tests.smoke.options import wait_for_address

URL = "https://api.example.com/v1"


class Resolver:
    """Knows an address after some attempts."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        self.waited = 0.0
        self.shown: list[str] = []

    def resolve(self, host: str, port: int) -> object:
        assert (host, port) == ("api.example.com", 443)
        self.attempts -= 1
        if self.attempts > 0:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    def sleep(self, seconds: float) -> None:
        self.waited += seconds

    def wait(self) -> None:
        wait_for_address(URL, self.shown.append, resolve=self.resolve, sleep=self.sleep)


def test_a_known_name_is_not_waited_for() -> None:
    resolver = Resolver(attempts=1)

    resolver.wait()

    assert (resolver.waited, resolver.shown) == (0, [])


def test_a_new_name_is_waited_for_longer_than_resolvers_remember_that_it_did_not_exist() -> None:
    resolver = Resolver(attempts=15 * 60 // 15 + 2)

    resolver.wait()

    assert resolver.waited > 15 * 60
    assert resolver.shown == ["Waiting for the address of api.example.com, up to 20 minutes"]


def test_the_wait_ends() -> None:
    resolver = Resolver(attempts=1000)

    with pytest.raises(SmokeError, match=r"api\.example\.com has no address after 20 minutes: check its DNS record"):
        resolver.wait()

    assert resolver.waited == 20 * 60
