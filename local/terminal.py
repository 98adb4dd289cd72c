"""Emphasis on terminals; files and pipes get plain text."""

import os
from typing import Final, TextIO

_RESET: Final = "\x1b[0m"


def understands_escapes(out: TextIO) -> bool:
    """Return whether a stream is a terminal that can move its cursor."""
    return out.isatty() and os.environ.get("TERM") != "dumb"


class Emphasis:
    """Emphasises text if the stream supports it and NO_COLOR is not set (https://no-color.org)."""

    def __init__(self, out: TextIO) -> None:
        self._on = understands_escapes(out) and not os.environ.get("NO_COLOR")

    def strong(self, text: str) -> str:
        """Return important text, in bold."""
        return self._styled("\x1b[1m", text)

    def faint(self, text: str) -> str:
        """Return secondary text, dimmed."""
        return self._styled("\x1b[2m", text)

    def bad(self, text: str) -> str:
        """Return an error, in red."""
        return self._styled("\x1b[1;31m", text)

    def _styled(self, start: str, text: str) -> str:
        return f"{start}{text}{_RESET}" if self._on else text
