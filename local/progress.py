"""Reports steps with their duration, one line each; a terminal also shows the current step."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

import rich.progress
from rich.markup import escape

from local.terminal import console

_WIDTH: Final = 46
_WORTH_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 1.0


class Progress:
    """Progress for people to read, on standard error or in a log."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._console = console(out or sys.stderr)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Report a step with its seconds at the end, unless it took none; a terminal shows its name meanwhile."""
        started = time.monotonic()
        try:
            with self._display(what):
                yield
        finally:
            seconds = time.monotonic() - started
            if seconds >= _WORTH_SECONDS:
                self._console.print(f"{escape(f'  {what:{_WIDTH}}')} [dim]{seconds:6.1f} s[/dim]")

    @contextmanager
    def wait(self, what: str) -> Iterator[None]:
        """Show on a terminal what a longer wait is for, and erase it at the end."""
        display = self._display(what)
        delayed = threading.Timer(_PATIENCE_SECONDS, display.start)
        delayed.start()
        try:
            yield
        finally:
            delayed.cancel()
            delayed.join()
            display.stop()

    def _display(self, what: str) -> rich.progress.Progress:
        name, seconds = rich.progress.TextColumn("  {task.description}"), rich.progress.TimeElapsedColumn()
        hidden = not self._console.is_interactive
        display = rich.progress.Progress(name, seconds, console=self._console, transient=True, disable=hidden)
        display.add_task(escape(what), total=None)
        return display
