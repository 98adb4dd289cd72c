"""Start the embedded AWS: ``python -m local.emulator ROOT PORT``. Run by ``local.server``, not by hand."""

import os
import signal
import sys
from pathlib import Path

from local import emulator, lifeline
from local.server import clear
from local.stack import Place


def main() -> None:
    """Fill the emulator's gaps and serve until ended by a signal, or with whoever started it."""
    root, port = sys.argv[1:]
    place = Place(int(port), Path(root))

    def end() -> None:
        clear(place)
        os.killpg(0, signal.SIGKILL)

    lifeline.watch(end)
    emulator.install()
    emulator.serve()


if __name__ == "__main__":
    main()
