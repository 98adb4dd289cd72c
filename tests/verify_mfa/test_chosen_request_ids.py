"""API Gateway lets callers choose their request id (`X-Amzn-RequestId`): it must not pass for the mark of a write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from functions.shared.contract import BACKUP_CODES, DISABLE, VERIFY, VERIFY_SETUP, Endpoint
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import Answer, User


@contextmanager
def overtaken(handler: ModuleType, overtake: Callable[[], None]) -> Iterator[None]:
    """Let something happen between the handler's read and its write."""
    service: Any = handler.service
    opener = getattr(service, "_second_factor", service)._opener
    opened = opener.open

    def opening(message: str, *, user_id: str) -> str:
        opener.open = opened
        overtake()
        secret: str = opened(message, user_id=user_id)
        return secret

    opener.open = opening
    try:
        yield
    finally:
        opener.open = opened


def race(user: User, route: Endpoint, body: dict[str, str], other: dict[str, str]) -> tuple[Answer, Answer]:
    """Return the answers to two requests with one id, of which the second is made and done within the first."""
    twin = User(user.load, now=user.now, secret=user.secret)
    user.call(route, {})  # loads the handler
    answers: list[Answer] = []

    def overtake() -> None:
        twin._requests = user._requests - 1
        answers.append(twin.call(route, other))

    with overtaken(user.handlers[route.function], overtake):
        first = user.call(route, body)
    assert twin._requests == user._requests
    return first, answers[0]


def test_one_code_and_one_request_id_log_in_once(enrolled: User) -> None:
    code = {"code": enrolled.code()}
    late, early = race(enrolled, VERIFY, code, code)
    assert early.status == 200
    assert (late.status, late.error) == (409, "CONFLICT")


def test_one_backup_code_and_one_request_id_log_in_once(enrolled: User) -> None:
    code = {"backupCode": enrolled.backup_codes[0]}
    late, early = race(enrolled, VERIFY, code, code)
    assert early.status == 200
    assert (late.status, late.error) == (409, "CONFLICT")
    assert enrolled.status()["backupCodesRemaining"] == 7


@pytest.mark.parametrize("route", [VERIFY, DISABLE, BACKUP_CODES], ids=lambda route: route.function)
def test_guesses_with_one_request_id_are_one_guess(aws: EmbeddedAws, enrolled: User, route: Endpoint) -> None:
    """Else any number of guesses at once would cost one attempt, and each would learn whether it was right."""
    late, early = race(enrolled, route, {"code": enrolled.code()}, {"code": enrolled.wrong_code()})
    assert early.error == "INVALID_CODE"
    assert (late.status, late.error) == (409, "CONFLICT")
    assert (aws.item("user-1") or {})["failed_attempts"] == {"N": "1"}


def test_a_wrong_guess_that_lost_is_not_told_that_it_was_wrong(enrolled: User) -> None:
    wrong = {"code": enrolled.wrong_code()}
    late, early = race(enrolled, VERIFY, wrong, wrong)
    assert (early.error, late.error) == ("INVALID_CODE", "CONFLICT")


def test_one_request_id_does_not_show_the_backup_codes_twice(user: User) -> None:
    user.setup()
    code = {"code": user.code()}
    late, early = race(user, VERIFY_SETUP, code, code)
    assert early.status == 200
    assert (late.status, late.error) == (409, "CONFLICT")
