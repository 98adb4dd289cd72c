"""Datapoints in memory, and their statistics by period."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from local.cloudwatch.embedded_metrics import datapoints

#: Dimensions in a form that can be compared: pairs of name and value, sorted.
type Dimensions = tuple[tuple[str, str], ...]


def sorted_dimensions(dimensions: Mapping[str, str]) -> Dimensions:
    """Return dimensions in a form that can be compared."""
    return tuple(sorted(dimensions.items()))


class Metrics(Protocol):
    """Statistics of metrics, wherever their datapoints are stored."""

    def series(
        self, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, *, end: float, period: int,
        length: int,
    ) -> list[float | None]:  # fmt: skip
        """Return a statistic of the last ``length`` periods before ``end``, oldest first; ``None`` without a value."""
        ...


@dataclass
class MetricStore:
    """Published values, found only under the same namespace, name and whole set of dimensions."""

    _values: dict[tuple[str, str, Dimensions], list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, *, at: float) -> None:
        """Publish one value at a time in seconds."""
        self._values[namespace, name, sorted_dimensions(dimensions)].append((at, value))

    def put_embedded(self, log_lines: Iterable[str], *, at: float) -> None:
        """Publish the metrics in log lines, as Lambda's log agent does; lines in other formats are skipped."""
        for line in log_lines:
            for each in datapoints(line):
                self.put(each.namespace, each.name, each.dimensions, each.value, at=at)

    def names(self, namespace: str) -> set[str]:
        """Return the names of the metrics published in a namespace."""
        return {name for space, name, _ in self._values if space == namespace}

    def series(
        self, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, *, end: float, period: int,
        length: int,
    ) -> list[float | None]:  # fmt: skip
        """Return a statistic by period, as `Metrics` describes.

        Raises
        ------
        ValueError
            If the statistic is unknown.
        """
        published = self._values.get((namespace, name, sorted_dimensions(dimensions)), ())
        periods = by_period(published, end=end, period=period, length=length)
        return [statistic_of(values, statistic) if values else None for values in periods]


def by_period[T](points: Iterable[tuple[float, T]], *, end: float, period: int, length: int) -> list[list[T]]:
    """Return what was published in each of the last ``length`` periods before ``end``, oldest first.

    Parameters
    ----------
    points : iterable of (float, T)
        Time in seconds and what was published then, in any order.
    end, period : float, int
        Seconds.
    """
    start = end - period * length
    periods: list[list[T]] = [[] for _ in range(length)]
    for at, value in points:
        if start <= at < end:
            # Rounding can put a time just before the end into the period after the last.
            periods[min(int((at - start) // period), length - 1)].append(value)
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
