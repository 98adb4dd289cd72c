"""Start the embedded AWS: ``python -m local.emulator ROOT PORT``. Run by ``local.server``, not by hand."""

import os
import signal
import sys
import threading
from pathlib import Path

from local import emulator
from local.server import RELEASE, clear
from local.stack import Place


def _watch_lifeline(place: Place) -> None:
    """End this process, and every function it runs, once whoever started it has died."""
    # Unbuffered: a thread that waits inside sys.stdin would make the interpreter's own end fail.
    if os.read(sys.stdin.fileno(), len(RELEASE)) != RELEASE:
        clear(place)
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Fill the emulator's gaps and serve until ended by a signal."""
    root, port = sys.argv[1:]
    threading.Thread(target=_watch_lifeline, args=(Place(int(port), Path(root)),), daemon=True).start()
    emulator.install()
    emulator.serve()


if __name__ == "__main__":
    main()
