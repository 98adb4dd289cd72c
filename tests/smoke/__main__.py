"""Enrol, log in and turn MFA off as a disposable user of a deployment: ``python -m tests.smoke``.

Name the deployment in one of three ways:

  --environment dev                  a deployment on AWS: reads its API and user pool from its stacks; creates a user in
                                     the pool, and deletes it at the end; --api-url overrides the URL of the API
  --stack .local/stack.json          the stack of `make up`; creates the user if needed
  --api-url URL                      any deployment, with the access token of a disposable user: MFA_SMOKE_TOKEN in the
                                     environment, or --token, which process lists show

With your own issuer, --environment takes a token as --api-url does. MFA is off at the end, also after a failure. The
exit status is 0 if every response was correct.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from infra.outputs import Output, StackId
from local import users
from local.errors import LocalError
from local.stack import Stack
from tests.smoke.deployment import DeployedUser, disposable_user, outputs
from tests.smoke.journey import Journey, SmokeError

_TOKEN: Final = "MFA_SMOKE_TOKEN"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the smoke test and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.smoke", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--environment", metavar="NAME")
    where.add_argument("--stack", type=Path, metavar="FILE")
    parser.add_argument("--api-url", metavar="URL")
    parser.add_argument("--user", metavar="NAME", default="smoke@example.com", help="with --stack (%(default)s)")
    parser.add_argument("--token", metavar="JWT", default=os.environ.get(_TOKEN))
    options = parser.parse_args(arguments)
    if not (options.environment or options.stack or (options.api_url and options.token)):
        parser.error(
            "expected --environment, --stack, or --api-url with the access token of a disposable user: "
            f"--token, or {_TOKEN} in the environment"
        )
    started = time.monotonic()
    try:
        with _deployed(options) as (api_url, token):
            _show(f"Smoke test of {api_url}")
            Journey(DeployedUser(api_url, token), _show).run()
    except (SmokeError, LocalError, BotoCoreError, ClientError, OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    _show(f"All responses were correct ({time.monotonic() - started:.1f} s).")
    return 0


@contextmanager
def _deployed(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yield the API's URL and a token of a user for it."""
    if options.stack:
        stack = Stack.load(options.stack)
        yield options.api_url or stack.api_url, users.token(stack, options.user)
    elif options.environment:
        service = outputs(options.environment, StackId.SERVICE)
        if not service:
            raise SmokeError(f"The environment {options.environment} is not deployed in this account and region")
        with _token(options) as token:
            yield options.api_url or service[Output.API_URL], token
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
        raise SmokeError(f"{options.environment} has no user pool: give a token in {_TOKEN}")


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
