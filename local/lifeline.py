"""Processes that end with their starter, even if the starter was killed.

The starter keeps the writing end of the child's standard input. The kernel closes it when the starter ends, and the
child then ends itself.

``python -m local.lifeline COMMAND...`` runs any command. When the lifeline is cut, it ends the command and all its
descendants, in any process group.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psutil

#: Written to the lifeline, this lets the child outlive its starter.
RELEASE: Final = b"release\n"


def watch(on_cut: Callable[[], None]) -> None:
    """Call a function, in a thread, when the lifeline of this process is cut without a release."""

    def wait() -> None:
        # Unbuffered: the interpreter cannot shut down while a thread waits inside sys.stdin.
        if os.read(sys.stdin.fileno(), len(RELEASE)) != RELEASE:
            on_cut()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _run(command: list[str]) -> int:
    # The command inherits this process's output, but not its lifeline.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 -- runs any command

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
