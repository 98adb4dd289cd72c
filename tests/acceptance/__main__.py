"""Check what was assumed about AWS on a deployment: ``python -m tests.acceptance``.

  --environment dev                  a deployment on AWS, found by its stacks as `tests.smoke` does
  --stack .local/stack.json          the stack of `make up`; what it cannot answer is "unknown"

Needs AWS credentials. Creates a user in the environment's pool, a rule, queues and a log group, and deletes them at the
end; sets the state of one alarm, which notifies the alarm's subscribers, and sets it back. With your own issuer, give
the access token of a disposable user in MFA_SMOKE_TOKEN. A first run takes up to 40 minutes, because a new metric
appears in the list of metrics after 15; a later run takes 2. The exit status is 1 if an assumption does not hold.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError
from local.stack import Stack
from tests.acceptance.catalogue import ASSUMPTIONS
from tests.acceptance.deployment import Deployment, Patience
from tests.acceptance.examine import examine
from tests.acceptance.model import Result, Verdict
from tests.acceptance.report import as_json, console, show
from tests.smoke.journey import SmokeError
from tests.smoke.options import add_options, deployed
from tests.support.stack import Api, Aws

#: The emulated AWS delivers within seconds.
_LOCAL_PATIENCE = Patience(messages=30, metrics=30, settling=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the assumptions, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.acceptance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON array instead of a table")
    parser.add_argument("--long", action="store_true", help="also check what takes half an hour")
    parser.add_argument("--only", metavar="PREFIX", default="", help="check only the keys that begin so, such as logs/")
    options = parser.parse_args(arguments)
    chosen = [assumption for assumption in ASSUMPTIONS if assumption.key.startswith(options.only)]
    if not (options.environment or options.stack):
        parser.error("expected --environment or --stack")
    if not chosen:
        parser.error(f"--only: no key begins with {options.only!r}")
    output = console()
    try:
        with _deployment(options) as deployment:
            results = list(_shown(examine(deployment, chosen, long=options.long)))
    except (SmokeError, LocalError, BotoCoreError, ClientError, OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if options.json:
        sys.stdout.write(f"{as_json(results)}\n")
    else:
        show(results, output)
    return int(any(result.verdict is Verdict.DOES_NOT_HOLD for result in results))


def _shown(results: Iterable[Result]) -> Iterator[Result]:
    """Yield the results, and report each on the standard error output at once."""
    for result in results:
        sys.stderr.write(f"{result.seconds:6.1f} s  {result.assumption.key}: {result.verdict}\n")
        sys.stderr.flush()
        yield result


@contextmanager
def _deployment(options: argparse.Namespace) -> Iterator[Deployment]:
    with deployed(options, lambda line: print(line, file=sys.stderr)) as (api_url, token):
        if options.stack:
            stack = Stack.load(options.stack)
            client = cache(Aws(stack).client)
            yield Deployment(stack.environment, Api(api_url), token, client, emulated=True, patience=_LOCAL_PATIENCE)
        else:
            yield Deployment(options.environment, Api(api_url), token, cache(boto3.client))


if __name__ == "__main__":
    sys.exit(main())
