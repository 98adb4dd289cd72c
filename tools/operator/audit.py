"""The audit log: one line of JSON for each command that can change something."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from tools.operator.errors import OperatorError


def default_log() -> Path:
    """Return the log file in the operator's own state directory (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mfa-operator" / "log.jsonl"


class AuditLog:
    """Appends to a log file. Make it before anything is changed: it fails if the file cannot be written.

    Parameters
    ----------
    path : Path
        The file; only its owner can read a new one.

    Raises
    ------
    OperatorError
        The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._opened().close()
        except OSError as error:
            raise OperatorError(f"The audit log {path} cannot be written ({error.strerror}); choose --log.") from None

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append an entry."""
        with self._opened() as file:
            file.write(f"{json.dumps(entry)}\n")

    def _opened(self) -> TextIO:
        return os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a")
