"""The figures of a run, as far as ``docs/performance.md`` shows them, and the file that keeps them."""

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import TypeAdapter

from tools.bench.measure import Sample

FILE: Final = Path(__file__).with_name("results.json")
#: Enough for every table, and few enough to read the file.
_DECIMALS: Final = 4


class Spread(NamedTuple):
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of one or more values."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = (round(value, _DECIMALS) for value in statistics.quantiles(values, n=4, method="inclusive"))
        return cls(median, low, high)

    def text(self, digits: int = 1) -> str:
        """Return the spread for a table: ``12.3 (12.0-12.9)``."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})"  # noqa: RUF001


@dataclass(frozen=True)
class Machine:
    """The machine, the time and the commit of a run.

    Attributes
    ----------
    load_before : float
        The load average over one minute before the run.
    measured_at : str
        ISO 8601, UTC.
    commit : str
        ``unknown`` outside a Git checkout.
    """

    processor: str
    cores: int
    system: str
    python: str
    load_before: float
    measured_at: str
    commit: str


@dataclass(frozen=True)
class RequestCost:
    """What one kind of request costs: CPU time in milliseconds, memory in MiB, traffic in bytes per request.

    Attributes
    ----------
    cold : Spread
        From the start of the interpreter to the first response.
    init, first, warm : Spread
        Importing the handler, the first request, the mean of the warm requests.
    warm_by_the_clock : float
        Elapsed time of a warm request.
    peak_mib : float
        The most memory that the process held.
    calls : tuple of str
        AWS calls of a warm request, such as ``kms:Decrypt``.
    log_bytes : int
        What the function logs in one request, without Lambda's own lines.
    """

    cold: Spread
    init: Spread
    first: Spread
    warm: Spread
    warm_by_the_clock: float
    peak_mib: float
    calls: tuple[str, ...]
    bytes_sent: int
    bytes_received: int
    log_bytes: int

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "RequestCost":
        """Summarise the samples of one variant."""
        return cls(
            cold=Spread.of([each.cold for each in samples]),
            init=Spread.of([each.init for each in samples]),
            first=Spread.of([each.first for each in samples]),
            warm=Spread.of([each.warm for each in samples]),
            warm_by_the_clock=Spread.of([each.warm_wall for each in samples]).median,
            peak_mib=Spread.of([each.peak_mib for each in samples]).median,
            calls=samples[-1].calls,
            bytes_sent=round(samples[-1].bytes_sent),
            bytes_received=round(samples[-1].bytes_received),
            log_bytes=round(samples[-1].log_bytes),
        )


@dataclass(frozen=True)
class Results:
    """The results of a run.

    Attributes
    ----------
    requests : mapping
        By the variant's name.
    ratios : mapping
        The measured ratio to a peer, by the target's name.
    packages : mapping
        Bytes zipped and unzipped by the variant's name: our packages for Lambda, the peers' for this machine.
    stand_in_ms : Spread
        CPU time of the stand-in for AWS in one verification.
    memory_mib : int
        The memory of the functions in ``prod``.
    item_bytes : int
        The size of an enabled user's item.
    """

    machine: Machine
    rounds: int
    requests: Mapping[str, RequestCost]
    ratios: Mapping[str, Spread]
    packages: Mapping[str, tuple[int, int]]
    stand_in_ms: Spread
    memory_mib: int
    item_bytes: int

    def save(self, path: Path = FILE) -> None:
        """Write the results as JSON, each list on one line."""
        text = json.dumps(asdict(self), indent=1)
        path.write_text(re.sub(r"\[[^\[\]{}]+\]", lambda match: " ".join(match[0].split()), text) + "\n")

    @classmethod
    def load(cls, path: Path = FILE) -> "Results":
        """Read results that were saved."""
        return TypeAdapter(cls).validate_json(path.read_bytes())
