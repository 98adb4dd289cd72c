"""The command line of the operator's command."""

import argparse
from pathlib import Path
from typing import Final

from functions.shared.contract import Env, Factor
from functions.shared.settings import ConfigurationError, KmsKey, read_encryption_key
from infra.config import ENVIRONMENTS
from tools.operator.audit import default_log
from tools.operator.import_file import is_user_id
from tools.operator.report import MEANING, UserState

STANDARD_INPUT: Final = "-"
DEFAULT_RATE: Final = 100
_DESCRIPTION: Final = """\
Help users who are locked out or have lost all factors, import users of another system, and count users.
Uses your own AWS credentials.
"""
_EPILOG: Final = """\
The user id is the `sub` of the user's tokens; --username finds it in the Cognito user pool.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 no record or nothing to do, 4 declined, 5 the state changed
meanwhile, 6 some lines of an import were refused.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser; `action` is the name of the command."""
    top = argparse.ArgumentParser(
        prog="python -m tools.operator",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="action", metavar="COMMAND", required=True, title="commands")

    def command(name: str, text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        description = f"{text[0].upper()}{text[1:]}."
        return commands.add_parser(name, parents=[_common(), *parents], help=text, description=description)

    command("show", "show the state of a user's second factor without changing it", _user())
    unlock = command("unlock", "clear a user's wrong codes, so that the lock ends now", _user(), _writing())
    unlock.add_argument("--factor", choices=[*map(str, Factor)], help="unlock only this factor (default: both)")
    command("reset", "delete a user's second factor, so that the user can enrol again", _user(), _writing())
    _add_import(command("import", "import users of another system with their TOTP secrets", _writing()))
    _add_report(command("report", "count the users by the state of their second factor"))
    return top


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    where = common.add_mutually_exclusive_group(required=True)
    where.add_argument("--environment", choices=[*ENVIRONMENTS], help="environment whose data stack names the table")
    where.add_argument("--table", help="name of the table")
    common.add_argument("--region", help="AWS region, if not the default")
    common.add_argument("--profile", help="AWS profile, if not the default")
    common.add_argument("--json", action="store_true", help="print the result as JSON to standard output")
    return common


def _user() -> argparse.ArgumentParser:
    user = argparse.ArgumentParser(add_help=False)
    who = user.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", type=_user_id, metavar="ID", help="the `sub` of the user's tokens")
    who.add_argument("--username", metavar="NAME", help="the user's name or e-mail address in the Cognito user pool")
    user.add_argument("--user-pool", metavar="ID", help="the user pool, if not the one of the environment")
    return user


def _writing() -> argparse.ArgumentParser:
    writing = argparse.ArgumentParser(add_help=False)
    writing.add_argument(
        "--reason",
        required=True,
        type=_text,
        help="reason for the audit log: a ticket, and how you verified that it is the user",
    )
    writing.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    writing.add_argument(
        "--log", type=Path, default=default_log(), metavar="FILE", help="the audit log, to append to (%(default)s)"
    )
    return writing


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--file",
        required=True,
        help="one JSON object a line, with user_id and otpauth or secret; - reads standard input, with --yes",
    )
    command.add_argument("--key", type=_key, metavar="ARN", help="the secret key, required with --table")
    command.add_argument("--dry-run", action="store_true", help="check everything and write nothing")


def _add_report(command: argparse.ArgumentParser) -> None:
    states = "\n".join(f"  {state:<20} {meaning}" for state, meaning in MEANING.items())
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = f"states:\n{states}"
    command.add_argument(
        "--list", choices=[*map(str, UserState)], metavar="STATE", help="also print the ids of these users"
    )
    command.add_argument(
        "--user-pool",
        nargs="?",
        const="",
        metavar="ID",
        help="also count the users of this Cognito user pool, by default the environment's, without a second factor",
    )
    command.add_argument(
        "--rate",
        type=_rate,
        default=DEFAULT_RATE,
        metavar="UNITS",
        help="most read units to consume in a second (%(default)s)",
    )


def _user_id(text: str) -> str:
    if not is_user_id(text):
        raise argparse.ArgumentTypeError("expected the `sub` of the user's tokens")
    return text


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a reason")
    return text.strip()


def _rate(text: str) -> float:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of read units, got {text!r}")
    return float(text)


def _key(text: str) -> str:
    try:
        key = read_encryption_key({Env.MFA_ENCRYPTION_KEY: text, Env.ENVIRONMENT: "prod"})
    except ConfigurationError:
        raise argparse.ArgumentTypeError("expected the ARN of a KMS key") from None
    assert isinstance(key, KmsKey)  # noqa: S101 -- other keys are refused in production
    return key.arn
