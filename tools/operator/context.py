"""What the commands share: the resources that the options name, exit statuses, and the question before a change."""

import argparse
import signal
import sys
from typing import Final

from infra.outputs import Output, StackId
from tools.operator.aws import OperatorAws
from tools.operator.command import CommandOutcome
from tools.operator.errors import OperatorError
from tools.operator.output import say

EXIT_STATUS: Final = {
    CommandOutcome.DONE: 0,
    CommandOutcome.FAILED: 1,
    # 2 is argparse's, for invalid arguments.
    CommandOutcome.NOTHING_TO_DO: 3,
    CommandOutcome.DECLINED: 4,
    CommandOutcome.CONFLICT: 5,
    CommandOutcome.REFUSED_LINES: 6,
    CommandOutcome.INTERRUPTED: 128 + signal.SIGINT,
}
NOTHING_CHANGED: Final = "Nothing was changed."


def table_name(options: argparse.Namespace, aws: OperatorAws) -> str:
    """Return the table that the options name."""
    return str(options.table or aws.output(options.environment, StackId.DATA, Output.TABLE_NAME))


def user_pool(options: argparse.Namespace, aws: OperatorAws) -> str:
    """Return the user pool that the options name, or that of the environment."""
    if options.user_pool:
        return str(options.user_pool)
    if options.environment is None:
        raise OperatorError("Name the user pool with --user-pool, or the environment with --environment.")
    return aws.output(options.environment, StackId.IDENTITY, Output.USER_POOL_ID)


def secret_key(options: argparse.Namespace, aws: OperatorAws) -> str:
    """Return the ARN of the key that encrypts the secrets."""
    if options.key:
        return str(options.key)
    if options.environment is None:
        raise OperatorError("Name the secret key with --key, or the environment with --environment.")
    return aws.output(options.environment, StackId.DATA, Output.KEY_ARN)


def cannot_ask(options: argparse.Namespace) -> bool:
    """Print an error and return True if a confirmation is needed but the input is not a terminal."""
    if options.yes or sys.stdin.isatty():
        return False
    say("No terminal to ask for confirmation. Use --yes if you are sure.")
    return True


def confirmed(question: str) -> bool:
    """Return whether the operator answers yes."""
    sys.stderr.write(f"{question} Type yes to continue: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == "yes"
