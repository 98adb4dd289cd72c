"""MiniStack, the embedded AWS, with the gaps filled that this service would fall into."""

import sys


def install() -> None:
    """Fill every gap. Once, before the emulator serves."""


def serve() -> None:
    """Serve until ended by a signal."""
    from ministack import app

    sys.argv = ["ministack"]
    app.main()
