"""Steps with their seconds, one line each; on a terminal the step at work is shown while it lasts."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

_ERASE: Final = "\r\x1b[K"
_WIDTH: Final = 46
_WORTH_SECONDS: Final = 0.1


class Progress:
    """Reports to people, never to programs: give it standard error or a log."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Report a step: its name while it runs on a terminal, its seconds once it is done, unless it took none."""
        started = time.monotonic()
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(what, started, done), daemon=True)
        if self._live:
            ticker.start()
        try:
            yield
        finally:
            done.set()
            if self._live:
                ticker.join()
            seconds = time.monotonic() - started
            if seconds >= _WORTH_SECONDS:
                self._print(f"  {what:{_WIDTH}} {seconds:6.1f} s\n")

    def _tick(self, what: str, started: float, done: threading.Event) -> None:
        while not done.is_set():
            self._print(f"{_ERASE}  {what:{_WIDTH}} {time.monotonic() - started:6.0f} s")
            done.wait(0.5)
        self._print(_ERASE)

    def _print(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
