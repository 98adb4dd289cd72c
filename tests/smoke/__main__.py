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
import sys
import time
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError
from tests.smoke.deployment import DeployedUser
from tests.smoke.journey import Journey, SmokeError
from tests.smoke.options import TOKEN, add_options, deployed
from tests.support.stack import Api


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the smoke test and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.smoke", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    options = parser.parse_args(arguments)
    if not (options.environment or options.stack or (options.api_url and options.token)):
        parser.error(
            "expected --environment, --stack, or --api-url with the access token of a disposable user: "
            f"--token, or {TOKEN} in the environment"
        )
    started = time.monotonic()
    try:
        with deployed(options, _show) as (api_url, token):
            _show(f"Smoke test of {api_url}")
            Journey(DeployedUser(Api(api_url), token), _show).run()
    except (SmokeError, LocalError, BotoCoreError, ClientError, OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    _show(f"All responses were correct ({time.monotonic() - started:.1f} s).")
    return 0


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
