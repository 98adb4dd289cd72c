"""Serve the console: ``python -m local.console ROOT PORT DESCRIPTOR``. Run by ``local.emulator``, not by hand."""

import os
import socket
import sys
from pathlib import Path

from local import lifeline
from local.console.server import serve
from local.stack import StackFolder


def main() -> None:
    """Serve on a listening socket until a signal, or the end of the emulator."""
    root, port, descriptor = sys.argv[1:]
    lifeline.watch(lambda: os._exit(0))
    serve(StackFolder(int(port), Path(root)), socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    main()
