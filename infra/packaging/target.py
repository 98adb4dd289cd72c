"""The machine that a package is built for."""

import platform
from dataclasses import dataclass
from typing import Self

from infra.config import LOCAL, Config


@dataclass(frozen=True)
class Target:
    """A machine that runs functions.

    Attributes
    ----------
    name
        Part of the build folder's path.
    platform
        The platform whose wheels are installed, in uv's words; ``None`` is this very machine.
    """

    name: str
    platform: str | None

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return the target of an environment: Lambda, or this machine where the emulator runs the functions."""
        if config.environment == LOCAL:
            return cls(f"{platform.system()}-{platform.machine()}".lower(), None)
        machine = {"arm64": "aarch64", "x86_64": "x86_64"}[config.architecture]
        # Lambda's Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34.
        return cls(f"lambda-{config.architecture}", f"{machine}-manylinux_2_28")
