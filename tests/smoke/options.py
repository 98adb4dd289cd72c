"""The options that name a deployment, and the way from them to its API and a user."""

import argparse
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from infra.outputs import Output, StackId
from local import users
from local.stack import Stack
from tests.smoke.deployment import disposable_user, outputs
from tests.smoke.journey import SmokeError

TOKEN: Final = "MFA_SMOKE_TOKEN"
#: A resolver remembers for 15 minutes that a new name did not exist: the TTL of the SOA record in a hosted zone.
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html
_DNS_SECONDS: Final = 20 * 60
_DNS_PAUSE_SECONDS: Final = 15


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `deployed`."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--environment", metavar="NAME")
    where.add_argument("--stack", type=Path, metavar="FILE")
    parser.add_argument("--api-url", metavar="URL")
    parser.add_argument("--user", metavar="NAME", default="smoke@example.com", help="with --stack (%(default)s)")
    parser.add_argument("--token", metavar="JWT", default=os.environ.get(TOKEN))


@contextmanager
def deployed(options: argparse.Namespace, show: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Yield the API's URL and a token of a user for it, once the API's name can be resolved.

    Raises
    ------
    SmokeError
        There is no such deployment, no user, or no address for the API's name.
    """
    if options.stack:
        stack = Stack.load(options.stack)
        yield options.api_url or stack.api_url, users.token(stack, options.user)
    elif options.environment:
        service = outputs(options.environment, StackId.SERVICE)
        if not service:
            raise SmokeError(f"The environment {options.environment} is not deployed in this account and region")
        api_url = options.api_url or service[Output.API_URL]
        wait_for_address(api_url, show)
        with _token(options) as token:
            yield api_url, token
    else:
        yield options.api_url, options.token


@contextmanager
def _token(options: argparse.Namespace) -> Iterator[str]:
    """Yield the given token, or one of a new user in the environment's user pool."""
    pool = {} if options.token else outputs(options.environment, StackId.IDENTITY)
    if options.token:
        yield options.token
    elif pool:
        with disposable_user(pool) as token:
            yield token
    else:
        raise SmokeError(f"{options.environment} has no user pool: give a token in {TOKEN}")


def wait_for_address(
    url: str,
    show: Callable[[str], None],
    *,
    resolve: Callable[[str, int], object] = socket.getaddrinfo,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the host of a URL has an address: the DNS record of a new domain may lag behind its deployment.

    Raises
    ------
    SmokeError
        It has none after 20 minutes.
    """
    host = urlsplit(url).hostname or ""
    for attempt in range(_DNS_SECONDS // _DNS_PAUSE_SECONDS):
        try:
            resolve(host, 443)
        except socket.gaierror:
            if attempt == 0:
                show(f"Waiting for the address of {host}, up to {_DNS_SECONDS // 60} minutes")
            sleep(_DNS_PAUSE_SECONDS)
        else:
            return
    raise SmokeError(f"{host} has no address after {_DNS_SECONDS // 60} minutes: check its DNS record")
