"""Emphasis for people at a terminal; files, pipes and programs get the plain words."""

import os
from typing import Final, TextIO

_RESET: Final = "\x1b[0m"


def understands_escapes(out: TextIO) -> bool:
    """Tell whether a stream is a terminal that can move its cursor."""
    return out.isatty() and os.environ.get("TERM") != "dumb"


class Emphasis:
    """Makes words stand out where that can be seen, and is wanted (https://no-color.org)."""

    def __init__(self, out: TextIO) -> None:
        self._on = understands_escapes(out) and not os.environ.get("NO_COLOR")

    def strong(self, text: str) -> str:
        """Make what people look for stand out."""
        return self._styled("\x1b[1m", text)

    def faint(self, text: str) -> str:
        """Make what people seldom look for step back."""
        return self._styled("\x1b[2m", text)

    def bad(self, text: str) -> str:
        """Make it plain that something went wrong."""
        return self._styled("\x1b[1;31m", text)

    def _styled(self, start: str, text: str) -> str:
        return f"{start}{text}{_RESET}" if self._on else text
