"""Processes that end with whoever started them, even if that was killed.

The starter keeps the writing end of the child's standard input. The kernel closes it when the starter ends, in
whatever way, and the child takes that for the order to end itself.

``python -m local.lifeline COMMAND...`` runs a command that knows nothing of this: cut, it ends the command and
every process that came of it, in whatever process group.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psutil

#: Written into the lifeline, this lets the child outlive whoever started it.
RELEASE: Final = b"release\n"


def watch(on_cut: Callable[[], None]) -> None:
    """Call a function, in a thread, once the lifeline of this process is cut without a release."""

    def wait() -> None:
        # Unbuffered: a thread that waits inside sys.stdin would make the interpreter's own end fail.
        if os.read(sys.stdin.fileno(), len(RELEASE)) != RELEASE:
            on_cut()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _run(command: list[str]) -> int:
    # The command gets no lifeline of its own, and its output goes where this process's goes.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 -- what this is for

    def end() -> None:
        with suppress(psutil.NoSuchProcess):
            started = psutil.Process(child.pid)
            for process in (*started.children(recursive=True), started):
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    watch(end)
    return child.wait()


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
