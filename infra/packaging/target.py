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
        The platform of the wheels, as uv names it; ``None`` is the machine that builds.
    """

    name: str
    platform: str | None

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return the target of an environment: Lambda, or this machine if the emulator runs the functions."""
        if config.environment == LOCAL:
            return cls(f"{platform.system()}-{platform.machine()}".lower(), None)
        machine = {"arm64": "aarch64", "x86_64": "x86_64"}[config.architecture]
        # Lambda's Python 3.13 runs on Amazon Linux 2023, which has glibc 2.34.
        return cls(f"lambda-{config.architecture}", f"{machine}-manylinux_2_28")
