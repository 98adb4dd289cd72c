"""From samples to figures: medians with their spread, and ratios of what ran in the same round."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.bench.measure import Sample


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of some values; of a single one it is that value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)

    def text(self, digits: int = 1) -> str:
        """Return the spread for a table: ``12.3 (12.0-12.9)``."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})"  # noqa: RUF001


type Figure = Callable[[Sample], float]


def spread(samples: Mapping[str, Sequence[Sample]], name: str, figure: Figure) -> Spread:
    """Return the spread of one variant's figure over the rounds."""
    return Spread.of([figure(sample) for sample in samples[name]])


def ratio(samples: Mapping[str, Sequence[Sample]], name: str, other: str, figure: Figure) -> Spread:
    """Return the spread of the ratio of two variants, each round by itself."""
    pairs = zip(samples[name], samples[other], strict=True)
    return Spread.of([figure(ours) / figure(theirs) for ours, theirs in pairs])
