"""Reports steps with their duration, one line each; a terminal also shows the current step."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TextIO

from local.terminal import Emphasis, understands_escapes

_ERASE: Final = "\r\x1b[K"
_WIDTH: Final = 46
_WORTH_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 1.0


class Progress:
    """Progress for people to read, on standard error or in a log."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live = understands_escapes(self._out)
        self._emphasis = Emphasis(self._out)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Report a step with its seconds at the end, unless it took none; a terminal shows its name meanwhile."""
        started = time.monotonic()
        try:
            with self._shown(what, after=0):
                yield
        finally:
            seconds = time.monotonic() - started
            if seconds >= _WORTH_SECONDS:
                self._print(f"  {what:{_WIDTH}} {self._emphasis.faint(f'{seconds:6.1f} s')}\n")

    def wait(self, what: str) -> AbstractContextManager[None]:
        """Show on a terminal what a longer wait is for, and erase it at the end."""
        return self._shown(what, after=_PATIENCE_SECONDS)

    @contextmanager
    def _shown(self, what: str, *, after: float) -> Iterator[None]:
        if not self._live:
            yield
            return
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(what, after, done), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()

    def _tick(self, what: str, after: float, done: threading.Event) -> None:
        started = time.monotonic()
        if done.wait(after):
            return
        while not done.is_set():
            self._print(f"{_ERASE}  {what:{_WIDTH}} {time.monotonic() - started:6.0f} s")
            done.wait(0.5)
        self._print(_ERASE)

    def _print(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
