"""MiniStack, the embedded AWS, with the gaps filled that this service would fall into.

MiniStack has no extension points, so that its private functions are replaced, each by a function below that says
which gap it fills. That holds for exactly one version, which is asserted. What stays inert is listed in
``local.emulator.inert``.
"""

import importlib.metadata
import sys
from typing import Final

from local.errors import LocalError

VERSION: Final = "1.5.33"


def install() -> None:
    """Fill every gap. Once, before the emulator serves.

    Raises
    ------
    LocalError
        Another version of MiniStack is installed.
    """
    check_version(importlib.metadata.version("ministack"))
    # Imported here, since importing MiniStack reads the environment and costs half a second.
    from local.emulator import access, alarms, conditions, expiry, functions, gateway, metrics, resources, streams

    for module in (gateway, functions, metrics, alarms, streams, expiry, conditions, resources, access):
        for fill in module.GAPS:
            fill()


def check_version(installed: str) -> None:
    """Refuse any version but the one that the gaps were found in."""
    if installed != VERSION:
        raise LocalError(
            f"MiniStack {installed} is installed, but local/emulator replaces private functions of {VERSION}. "
            "Run `make setup`; to move to another version, run tests/local against it and change VERSION."
        )


def serve() -> None:
    """Serve until ended by a signal."""
    from ministack import app

    sys.argv = ["ministack"]
    app.main()
