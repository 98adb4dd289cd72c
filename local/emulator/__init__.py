"""MiniStack, the embedded AWS, extended by the behaviour of AWS that this service needs.

MiniStack has no extension points, so its private functions are replaced. Each function in ``GAPS`` says which gap it
fills. This works for exactly one version, which is checked. ``local.emulator.inert`` lists the gaps that remain.
"""

import importlib.metadata
import sys
from typing import Final

from local.errors import LocalError

VERSION: Final = "1.5.33"


def install() -> None:
    """Fill every gap. Call it once, before the emulator serves.

    Raises
    ------
    LocalError
        Another version of MiniStack is installed.
    """
    check_version(importlib.metadata.version("ministack"))
    # Imported here, because importing MiniStack reads the environment and takes half a second.
    from local.emulator import (
        access,
        alarms,
        conditions,
        expiry,
        fixed_names,
        functions,
        gateway,
        global_tables,
        metrics,
        resources,
        streams,
        user_pools,
    )

    for module in (
        *(gateway, functions, metrics, alarms, streams, expiry, conditions),
        *(resources, fixed_names, global_tables, user_pools, access),
    ):
        for fill in module.GAPS:
            fill()


def check_version(installed: str) -> None:
    """Refuse any version but the one that the gaps apply to."""
    if installed != VERSION:
        raise LocalError(
            f"MiniStack {installed} is installed, but local/emulator replaces private functions of {VERSION}. "
            "Run `make setup`; to move to another version, run tests/local against it and change VERSION."
        )


def serve() -> None:
    """Serve until a signal ends the process."""
    from ministack import app

    sys.argv = ["ministack"]
    app.main()
