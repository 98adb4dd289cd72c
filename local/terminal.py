"""Consoles of `rich`: colours and live displays on terminals, plain text in files and pipes."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console


def console(out: TextIO) -> Console:
    """Return a console that keeps lines as they are; it writes no escapes if NO_COLOR is set (https://no-color.org)."""
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(file=out, color_system=None if plain else "auto", highlight=False, soft_wrap=True, emoji=False)


@contextmanager
def quiet_on_closed_pipes() -> Iterator[None]:
    """End the process without a traceback if the reader of its output has gone, as with ``| head -1``."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
