"""Statistics of metrics by period."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self


@dataclass(frozen=True, kw_only=True)
class Window:
    """A time: ``length`` periods before ``end``, seconds."""

    end: float
    period: int
    length: int

    @property
    def start(self) -> float:
        """Start of the first period."""
        return self.end - self.period * self.length

    @property
    def starts(self) -> list[float]:
        """Start of each period, oldest first."""
        return [self.start + self.period * index for index in range(self.length)]


@dataclass(frozen=True)
class Statistic:
    """One statistic (``Sum``, ``p99`` …) of one metric; the dimensions are pairs of name and value, sorted."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str) -> Self:
        """Return a statistic of the metric with these dimensions."""
        return cls(namespace, name, tuple(sorted(dimensions.items())), statistic)


class Metrics(Protocol):
    """Statistics of metrics, wherever their datapoints are stored."""

    def series(self, wanted: Statistic, window: Window) -> list[float | None]:
        """Return a statistic for each period of a window, oldest first; ``None`` without a datapoint."""
        ...


def by_period[T](points: Iterable[tuple[float, T]], window: Window) -> list[list[T]]:
    """Return what was published in each period of a window, oldest first.

    Parameters
    ----------
    points : iterable of (float, T)
        Time in seconds and what was published then, in any order.
    window : Window
        The periods.
    """
    periods: list[list[T]] = [[] for _ in range(window.length)]
    for at, value in points:
        if window.start <= at < window.end:
            # Rounding can put a time just before the end into the period after the last.
            periods[min(int((at - window.start) // window.period), window.length - 1)].append(value)
    return periods


def statistic_of(values: list[float], statistic: str) -> float:
    """Return a CloudWatch statistic (``Sum``, ``p99`` …) of one or more values."""
    match statistic:
        case "Sum":
            return float(sum(values))
        case "Average":
            return sum(values) / len(values)
        case "Minimum":
            return float(min(values))
        case "Maximum":
            return float(max(values))
        case "SampleCount":
            return float(len(values))
    if statistic.startswith("p"):
        rank = math.ceil(float(statistic[1:]) / 100 * len(values))
        return float(sorted(values)[max(rank, 1) - 1])
    raise ValueError(f"unknown statistic {statistic!r}")
