"""The machine that a run was made on, as far as it matters to the figures."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from functions.shared.clock import iso_timestamp
from infra.paths import REPOSITORY


@dataclass(frozen=True)
class Machine:
    """Where, when and of which code the figures are."""

    processor: str
    cores: int
    system: str
    python: str
    load_before: float
    measured_at: str
    commit: str

    @classmethod
    def here(cls) -> "Machine":
        """Describe this machine, now."""
        return cls(
            processor=_processor(),
            cores=os.cpu_count() or 1,
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            load_before=round(os.getloadavg()[0], 2),
            measured_at=iso_timestamp(time.time()),
            commit=_commit(),
        )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    # The code of a checkout without git, such as a downloaded archive, has no name.
    command = ["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return finished.stdout.strip() or "unknown"
