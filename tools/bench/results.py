"""All figures of a run, and their file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY
from tools.bench.costs import Bill
from tools.bench.machine import Machine
from tools.bench.measure import Sample
from tools.bench.targets import Calls, Target
from tools.bench.throughput import Level

FILE: Final = REPOSITORY / "tools" / "bench" / "results.json"


@dataclass(frozen=True)
class Results:
    """A run.

    Attributes
    ----------
    samples : mapping
        By variant, one for each round.
    zips : mapping
        Bytes zipped and unzipped of each function's package for Lambda, and of the peers' for this machine.
    bills : mapping
        By variant, at ``memory_mib``.
    levels : sequence of Level
        The throughput of the embedded stack; empty if it was not measured.
    """

    machine: Machine
    rounds: int
    samples: Mapping[str, Sequence[Sample]]
    targets: Sequence[Target | Calls]
    zips: Mapping[str, tuple[int, int]]
    bills: Mapping[str, Bill]
    memory_mib: int
    item_bytes: int
    levels: Sequence[Level]

    def save(self, path: Path = FILE) -> None:
        """Write everything as JSON."""
        document = asdict(self)
        # The modules are the guards' business, and long.
        for samples in document["samples"].values():
            for sample in samples:
                del sample["modules"], sample["late_modules"]
                sample |= {name: round(value, 3) for name, value in sample.items() if isinstance(value, float)}
        path.write_text(json.dumps(document, indent=1) + "\n")
