"""Start the emulated AWS: ``python -m local.emulator ROOT PORT DESCRIPTOR``. Run by ``local.server``, not by hand.

The console runs in a child process, on the listening socket with that descriptor. It is in the same process group, so
that one signal ends both, and on a lifeline in case only the emulator ends.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from local import emulator, lifeline
from local.server import clear
from local.stack import StackFolder


def main() -> None:
    """Fill the emulator's gaps, and serve until a signal or the end of the starter."""
    root, port, descriptor = sys.argv[1:]
    folder = StackFolder(int(port), Path(root))

    def end() -> None:
        clear(folder)
        os.killpg(0, signal.SIGKILL)

    lifeline.watch(end)
    with _console(root, port, int(descriptor)):
        emulator.install()
        # Imported here, so that the console starts before an import that takes half a second.
        from ministack import app

        sys.argv = ["ministack"]
        app.main()


def _console(root: str, port: str, descriptor: int) -> "subprocess.Popen[bytes]":
    console = subprocess.Popen(  # noqa: S603 -- our own module
        [sys.executable, "-m", "local.console", root, port, str(descriptor)],
        # These keys are the root's; the console uses the administrator's from the state file.
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        stdin=subprocess.PIPE,  # its lifeline: never written to, closed at the end of this process
        pass_fds=[descriptor],
    )
    os.close(descriptor)
    return console


if __name__ == "__main__":
    main()
