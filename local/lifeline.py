"""Processes that end with their starter, even if the starter was killed.

The starter keeps the writing end of the child's standard input. The kernel closes it when the starter ends, and the
child then ends itself.

``python -m local.lifeline COMMAND...`` runs any command. When the lifeline is cut, it ends the command and all its
descendants, in any process group.
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

#: Written to the lifeline, this lets the child outlive its starter.
RELEASE: Final = b"release\n"


def watch(on_cut: Callable[[], None]) -> None:
    """Call a function, in a thread, when the lifeline of this process is cut without a release."""

    def wait() -> None:
        # Unbuffered: the interpreter cannot shut down while a thread waits inside sys.stdin.
        if os.read(sys.stdin.fileno(), len(RELEASE)) != RELEASE:
            on_cut()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def descendants(process_id: int) -> list[int]:
    """Return the descendants of a process whose parents still run, the nearest first."""
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
            with suppress(OSError):  # ended in the meantime
                # The name, in parentheses, may contain anything; state and parent follow it.
                yield int(directory.name), int((directory / "stat").read_text().rpartition(")")[2].split()[1])
    else:
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)  # noqa: S607
        for line in listing.stdout.splitlines():
            process, parent = line.split()
            yield int(process), int(parent)


def _run(command: list[str]) -> int:
    # The command inherits this process's output, but not its lifeline.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 -- runs any command

    def end() -> None:
        for process in [*descendants(child.pid), child.pid]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    watch(end)
    return child.wait()


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
