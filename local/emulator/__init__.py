"""MiniStack, the emulated AWS, extended by the behaviour of AWS that this service needs.

MiniStack has no extension points, so its private functions are replaced. Each function in ``GAPS`` says which gap it
fills. This works for exactly one version, which is checked. ``local.emulator.inert`` lists the gaps that remain.
"""

import importlib.metadata
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
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise LocalError(
            f"MiniStack {installed} is installed, but local/emulator replaces private functions of {VERSION}. "
            "Run `make setup`; to move to another version, run tests/local against it and change VERSION."
        )
    # Imported here, because importing MiniStack reads the environment and takes half a second.
    from local.emulator import (
        access,
        alarms,
        conditions,
        fixed_names,
        functions,
        gateway,
        metrics,
        resources,
        streams,
        tables,
        user_pools,
    )

    for module in (
        *(gateway, functions, metrics, alarms, streams, conditions),
        *(resources, tables, fixed_names, user_pools, access),
    ):
        for fill in module.GAPS:
            fill()
