"""Consoles of `rich`: colours and live displays on terminals, plain text in files and pipes."""

import os
from typing import TextIO

from rich.console import Console


def console(out: TextIO) -> Console:
    """Return a console that keeps lines as they are; it writes no escapes if NO_COLOR is set (https://no-color.org)."""
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(file=out, color_system=None if plain else "auto", highlight=False, soft_wrap=True, emoji=False)
