"""What the commands share: outcomes, exit statuses, the question before a change, and the line in the audit log."""

import argparse
import json
import signal
import sys
from enum import StrEnum
from typing import Final, TextIO

from functions.shared.clock import iso_timestamp
from tools.operator.output import print_json, say


class CommandOutcome(StrEnum):
    """How a command ended."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    DECLINED = "declined"
    CONFLICT = "conflict"
    FAILED = "failed"
    REFUSED_LINES = "refused_lines"
    INTERRUPTED = "interrupted"


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


def cannot_ask(options: argparse.Namespace) -> bool:
    """Print an error and return True if a confirmation is needed but the input is not a terminal."""
    if options.yes or sys.stdin.isatty():
        return False
    say("No terminal to ask for confirmation. Use --yes if you are sure.")
    return True


def confirmed(question: str, options: argparse.Namespace) -> bool:
    """Return whether the operator answers yes, or has done so with ``--yes``."""
    if options.yes:
        return True
    sys.stderr.write(f"{question} Type yes to continue: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == "yes"


def record_command(log: TextIO, options: argparse.Namespace, now: float, **details: object) -> None:
    """Write a command to the audit log, and with ``--json`` to standard output."""
    entry = {"timestamp": iso_timestamp(now), "event": "mfa_operator_command", "action": options.action, **details}
    log.write(f"{json.dumps(entry)}\n")
    if options.json:
        print_json(entry)
