"""The command line: ``python -m tools.operator show|unlock|reset``. Only the log line goes to standard output."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from botocore.exceptions import ClientError

from functions.shared.clock import Clock
from functions.shared.contract import Factor
from functions.shared.errors import ServiceUnavailableError
from functions.shared.record import RecordDamagedError
from infra.config import ENVIRONMENTS
from tools.operator.account import Summary
from tools.operator.aws import OperatorAws
from tools.operator.command import Action, CommandOutcome, Operator, Order, Result, log_entry
from tools.operator.errors import OperatorError, explain

EXIT_STATUS: Final = {
    CommandOutcome.DONE: 0,
    CommandOutcome.FAILED: 1,
    # 2 is argparse's, for invalid arguments.
    CommandOutcome.NOTHING_TO_DO: 3,
    CommandOutcome.DECLINED: 4,
    CommandOutcome.CONFLICT: 5,
}
_MAX_USER_ID: Final = 255
_WORDS: Final = {
    CommandOutcome.DONE: "Done.",
    CommandOutcome.NOTHING_TO_DO: "There is nothing to do. If this is unexpected, check the user id and the table.",
    CommandOutcome.DECLINED: "Nothing was changed.",
    CommandOutcome.CONFLICT: "The state has changed since it was shown. Nothing was changed; start again.",
}
_EPILOG: Final = """\
The user id is the `sub` of the user's tokens, not their login name.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 nothing to do, 4 declined, 5 the state changed meanwhile.
"""


def main(arguments: Sequence[str] | None = None, *, clock: Clock = time.time) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    order = Order(
        action=options.action,
        user_id=options.user,
        factors=(options.factor,) if getattr(options, "factor", None) else tuple(Factor),
        reason=getattr(options, "reason", ""),
    )
    if order.action is not Action.SHOW and not options.yes and not sys.stdin.isatty():
        _print("No terminal to ask for confirmation. Use --yes if you are sure.")
        return EXIT_STATUS[CommandOutcome.DECLINED]
    try:
        return _run(order, options, clock)
    except OperatorError as error:
        _print(str(error))
    except ServiceUnavailableError as error:
        _print(explain(error))
    except RecordDamagedError:
        _print(
            "The user's item is damaged, so this command does not touch it. docs/operator.md, "
            '"A damaged item", explains how to look at it and how to remove it.'
        )
    except ClientError as error:
        _print(f"{error}\nCheck that the table belongs to this service.")
    except KeyboardInterrupt:
        _print("\nInterrupted. `show` shows the state.")
    return EXIT_STATUS[CommandOutcome.FAILED]


def _run(order: Order, options: argparse.Namespace, clock: Clock) -> int:
    aws = OperatorAws(profile=options.profile, region=options.region)
    identity = aws.identity()
    table = options.table or aws.table_name(options.environment)
    _print(f"You are {identity}.\nUser {order.user_id}, table {table} in {aws.region}:")
    operator = Operator(repository=aws.repository(table), confirm=_confirmation(order, options), clock=clock)
    result = operator.carry_out(order)
    if order.action is Action.SHOW:
        _show(result.before)
        return EXIT_STATUS[CommandOutcome.DONE]
    entry = log_entry(order, result, operator=identity, region=aws.region, table=table, now=clock())
    print(json.dumps(entry), flush=True)
    _print(_words(result))
    return EXIT_STATUS[result.outcome]


def _confirmation(order: Order, options: argparse.Namespace) -> Callable[[Summary], bool]:
    def confirm(summary: Summary) -> bool:
        _show(summary)
        if options.yes:
            return True
        sys.stderr.write(f"{_question(order)} Type yes to continue: ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() == "yes"

    return confirm


def _question(order: Order) -> str:
    if order.action is Action.UNLOCK:
        return f"Clear the wrong codes of {' and '.join(order.factors)}?"
    return "Delete this second factor? The user will log in without one until enrolling again."


def _words(result: Result) -> str:
    if result.error is not None:
        return f"{explain(result.error)} The change may or may not have been made; check with `show`."
    if result.outcome is CommandOutcome.NOTHING_TO_DO and result.before is not None:
        _show(result.before)
    return _WORDS[result.outcome]


def _show(summary: Summary | None) -> None:
    for name, value in (summary or {}).items():
        _print(f"  {name.replace('_', ' '):<32} {'-' if value is None else value}")


def _print(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.operator",
        description="Help a user who is locked out or has lost all factors. Uses your own AWS credentials.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--user", required=True, type=_user_id, metavar="ID", help="the `sub` of the user's tokens")
    where = common.add_mutually_exclusive_group(required=True)
    where.add_argument("--environment", choices=[*ENVIRONMENTS], help="environment whose data stack names the table")
    where.add_argument("--table", help="name of the table")
    common.add_argument("--region", help="AWS region, if not the default")
    common.add_argument("--profile", help="AWS profile, if not the default")
    writing = argparse.ArgumentParser(add_help=False, parents=[common])
    writing.add_argument(
        "--reason",
        required=True,
        type=_text,
        help="reason for the log: a ticket, and how you verified that it is the user",
    )
    writing.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    commands = parser.add_subparsers(dest="action", metavar="COMMAND", required=True, title="commands")
    for action, parents, text in (
        (Action.SHOW, common, "show the state of a user's second factor without changing it"),
        (Action.UNLOCK, writing, "clear a user's wrong codes, so that the lock ends now"),
        (Action.RESET, writing, "delete a user's second factor, so that the user can enrol again"),
    ):
        command = commands.add_parser(action, parents=[parents], help=text, description=f"{text.capitalize()}.")
        command.set_defaults(action=action)
        if action is Action.UNLOCK:
            command.add_argument(
                "--factor", type=Factor, choices=[*Factor], help="unlock only this factor (default: both)"
            )
    return parser


def _user_id(text: str) -> str:
    if not 0 < len(text) <= _MAX_USER_ID or not (text.isascii() and text.isprintable()) or text.strip() != text:
        raise argparse.ArgumentTypeError("expected the `sub` of the user's tokens")
    return text


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a reason")
    return text.strip()


if __name__ == "__main__":
    sys.exit(main())
