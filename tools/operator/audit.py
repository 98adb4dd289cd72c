"""The audit log: one line of JSON for each command that can change something."""

import os
from pathlib import Path
from typing import TextIO

from tools.operator.errors import OperatorError


def default_log() -> Path:
    """Return the log file in the operator's own state directory (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mfa-operator" / "log.jsonl"


def open_log(path: Path) -> TextIO:
    """Return the log file, open for appending. Only its owner can read a new one.

    Open it before anything is changed.

    Raises
    ------
    OperatorError
        The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a")
    except OSError as error:
        raise OperatorError(f"The audit log {path} cannot be written ({error.strerror}); choose --log.") from None
