"""Processes that end with whoever started them, even if that was killed.

The starter keeps the writing end of the child's standard input. The kernel closes it when the starter ends, in
whatever way, and the child takes that for the order to end itself.

``python -m local.lifeline COMMAND...`` runs a command that knows nothing of this: cut, it ends the command and
every process that came of it, in whatever process group.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

#: Written into the lifeline, this lets the child outlive whoever started it.
RELEASE: Final = b"release\n"


def watch(on_cut: Callable[[], None]) -> None:
    """Call a function, in a thread, once the lifeline of this process is cut without a release."""

    def wait() -> None:
        # Unbuffered: a thread that waits inside sys.stdin would make the interpreter's own end fail.
        if os.read(sys.stdin.fileno(), len(RELEASE)) != RELEASE:
            on_cut()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def descendants(process_id: int) -> list[int]:
    """Return the processes that came of one and still have their parent, the nearest first."""
    children: dict[int, list[int]] = {}
    for process, parent in _processes():
        children.setdefault(parent, []).append(process)
    found = list(children.get(process_id, []))
    for process in found:  # grows as it goes
        found.extend(children.get(process, []))
    return found


def _processes() -> Iterator[tuple[int, int]]:
    """Yield every process of this machine with its parent."""
    if Path("/proc/self/stat").exists():
        for directory in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # ended meanwhile
                # The name, in parentheses, may contain anything; state and parent follow it.
                yield int(directory.name), int((directory / "stat").read_text().rpartition(")")[2].split()[1])
    else:
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)  # noqa: S607
        for line in listing.stdout.splitlines():
            process, parent = line.split()
            yield int(process), int(parent)


def _run(command: list[str]) -> int:
    # The command gets no lifeline of its own, and its output goes where this process's goes.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 -- what this is for

    def end() -> None:
        for process in [*descendants(child.pid), child.pid]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    watch(end)
    return child.wait()


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
