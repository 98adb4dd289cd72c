"""The command line: ``python -m tools.operator show|unlock|reset|import|report``.

Standard output is for JSON and lists; everything for people goes to standard error.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from functions.shared.clock import Clock
from functions.shared.errors import ServiceUnavailableError
from functions.shared.record import RecordDamagedError
from local.terminal import quiet_on_closed_pipes
from tools.operator.arguments import parser
from tools.operator.context import EXIT_STATUS, CommandOutcome
from tools.operator.errors import OperatorError, explain
from tools.operator.import_users import import_users
from tools.operator.one_user import change, show
from tools.operator.output import say
from tools.operator.report import report

if TYPE_CHECKING:
    import argparse


def main(arguments: Sequence[str] | None = None, *, clock: Clock = time.time) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace, Clock], int] = {
        "show": show,
        "unlock": change,
        "reset": change,
        "import": import_users,
        "report": report,
    }[options.action]
    try:
        with quiet_on_closed_pipes():
            return run(options, clock)
    except OperatorError as error:
        say(str(error))
    except ServiceUnavailableError as error:
        say(explain(error))
    except RecordDamagedError:
        say(
            "The user's item is damaged, so this command does not touch it. docs/operator.md, "
            '"A damaged item", explains how to look at it and how to remove it.'
        )
    except ClientError as error:
        say(f"{error}\nCheck that the table belongs to this service.")
    except KeyboardInterrupt:
        say("\nInterrupted. `show` shows the state.")
    return EXIT_STATUS[CommandOutcome.FAILED]


if __name__ == "__main__":
    sys.exit(main())
