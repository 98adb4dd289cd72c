"""The command line: ``python -m tools.operator show|unlock|reset``. The log line goes to standard output alone."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from botocore.exceptions import ClientError

from functions.shared.contract import Factor
from functions.shared.errors import ServiceUnavailableError
from functions.shared.record import RecordDamagedError
from infra.config import ENVIRONMENTS
from tools.operator.account import Summary
from tools.operator.aws import OperatorAws
from tools.operator.command import Action, Operator, Order, Outcome, Result, log_entry
from tools.operator.errors import OperatorError, explain

EXIT_STATUS: Final = {
    Outcome.DONE: 0,
    Outcome.FAILED: 1,
    # 2 is argparse's own, for a command line that makes no sense.
    Outcome.NOTHING_TO_DO: 3,
    Outcome.DECLINED: 4,
    Outcome.CONFLICT: 5,
}
_MAX_USER_ID: Final = 255
_WORDS: Final = {
    Outcome.DONE: "Done.",
    Outcome.NOTHING_TO_DO: "There is nothing to do. If you expected something, check the user id and the table.",
    Outcome.DECLINED: "Nothing was changed.",
    Outcome.CONFLICT: "The user was faster: the state is no longer the one above. Nothing was changed; start again.",
}
_EPILOG: Final = """\
The user id is the `sub` of the user's tokens, not the name that the user logs in with.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 nothing to do, 4 declined, 5 the user was faster.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    order = Order(
        action=options.action,
        user_id=options.user,
        factors=(options.factor,) if getattr(options, "factor", None) else tuple(Factor),
        reason=getattr(options, "reason", ""),
    )
    if order.action is not Action.SHOW and not options.yes and not sys.stdin.isatty():
        _tell("There is no terminal to ask at. Say --yes if you are sure.")
        return EXIT_STATUS[Outcome.DECLINED]
    try:
        return _run(order, options)
    except OperatorError as error:
        _tell(str(error))
    except ServiceUnavailableError as error:
        _tell(explain(error))
    except RecordDamagedError:
        _tell(
            "The user's item is not what the service writes, so that this command leaves it alone. docs/operator.md, "
            '"A damaged item", says how to look at it and how to remove it.'
        )
    except ClientError as error:
        _tell(f"{error}\nCheck that the table is the one of this service.")
    except KeyboardInterrupt:
        _tell("\nInterrupted. `show` tells the state.")
    return EXIT_STATUS[Outcome.FAILED]


def _run(order: Order, options: argparse.Namespace) -> int:
    aws = OperatorAws(profile=options.profile, region=options.region)
    identity = aws.identity()
    table = options.table or aws.table_name(options.environment)
    _tell(f"You are {identity}.\nUser {order.user_id}, table {table} in {aws.region}:")
    operator = Operator(repository=aws.repository(table), confirm=_confirmation(order, options), clock=time.time)
    result = operator.carry_out(order)
    if order.action is Action.SHOW:
        _show(result.before)
        return EXIT_STATUS[Outcome.DONE]
    entry = log_entry(order, result, operator=identity, region=aws.region, table=table, now=time.time())
    print(json.dumps(entry), flush=True)
    _tell(_words(result))
    return EXIT_STATUS[result.outcome]


def _confirmation(order: Order, options: argparse.Namespace) -> Callable[[Summary], bool]:
    def confirm(summary: Summary) -> bool:
        _show(summary)
        if options.yes:
            return True
        sys.stderr.write(f"{_question(order)} Type yes to go on: ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() == "yes"

    return confirm


def _question(order: Order) -> str:
    if order.action is Action.UNLOCK:
        return f"Forget the wrong codes of {' and '.join(order.factors)}?"
    return "Delete this second factor? The user will log in without one until enrolling again."


def _words(result: Result) -> str:
    if result.error is not None:
        return f"{explain(result.error)} The change may or may not have been made: `show` tells."
    if result.outcome is Outcome.NOTHING_TO_DO and result.before is not None:
        _show(result.before)
    return _WORDS[result.outcome]


def _show(summary: Summary | None) -> None:
    for name, value in (summary or {}).items():
        _tell(f"  {name.replace('_', ' '):<32} {'-' if value is None else value}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.operator",
        description="Help a user who is locked out or has lost everything, with your own AWS credentials.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--user", required=True, type=_user_id, metavar="ID", help="the `sub` of the user's tokens")
    where = common.add_mutually_exclusive_group(required=True)
    where.add_argument("--environment", choices=[*ENVIRONMENTS], help="whose table is looked up in its data stack")
    where.add_argument("--table", help="name of the table")
    common.add_argument("--region", help="AWS region, if not the default one")
    common.add_argument("--profile", help="AWS profile, if not the default one")
    writing = argparse.ArgumentParser(add_help=False, parents=[common])
    writing.add_argument(
        "--reason", required=True, type=_text, help="why, for the log: a ticket, and how you know that it is the user"
    )
    writing.add_argument("--yes", action="store_true", help="do not ask")
    commands = parser.add_subparsers(dest="action", metavar="COMMAND", required=True, title="commands")
    for action, parents, text in (
        (Action.SHOW, common, "show the state of a user's second factor, and change nothing"),
        (Action.UNLOCK, writing, "forget a user's wrong codes, so that the lock ends now"),
        (Action.RESET, writing, "delete a user's second factor, so that the user can enrol again"),
    ):
        command = commands.add_parser(action, parents=[parents], help=text, description=f"{text.capitalize()}.")
        command.set_defaults(action=action)
        if action is Action.UNLOCK:
            command.add_argument(
                "--factor", type=Factor, choices=[*Factor], help="unlock this one alone (both, if left out)"
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
