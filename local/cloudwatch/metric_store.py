"""Datapoints as they were published, and their statistics by period."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

type _Key = tuple[str, str, tuple[tuple[str, str], ...]]


def _key(namespace: str, name: str, dimensions: Mapping[str, str]) -> _Key:
    return namespace, name, tuple(sorted(dimensions.items()))


@dataclass
class MetricStore:
    """What was published: found again only under the same namespace, name and whole set of dimensions."""

    _values: dict[_Key, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, *, at: float) -> None:
        """Publish one value at a time in seconds."""
        self._values[_key(namespace, name, dimensions)].append((at, value))

    def put_embedded(self, log_lines: Iterable[str], *, at: float) -> None:
        """Publish what log lines in CloudWatch's Embedded Metric Format say, as Lambda's log agent does.

        Lines in any other format are passed over. Source: "Specification: Embedded metric format".
        """
        for line in log_lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if not isinstance(event, dict) or "_aws" not in event:
                continue
            for directive in event["_aws"]["CloudWatchMetrics"]:
                for names in directive["Dimensions"]:
                    dimensions = {name: event[name] for name in names}
                    for metric in directive["Metrics"]:
                        published = event[metric["Name"]]
                        for value in published if isinstance(published, list) else [published]:
                            self.put(directive["Namespace"], metric["Name"], dimensions, value, at=at)

    def names(self, namespace: str) -> set[str]:
        """Return the names of the metrics that were published in a namespace."""
        return {name for space, name, _ in self._values if space == namespace}

    def series(
        self, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, *, end: float, period: int,
        length: int,
    ) -> list[float | None]:  # fmt: skip
        """Return a statistic of the last ``length`` periods before ``end``, oldest first; ``None`` without a value.

        Raises
        ------
        ValueError
            If the statistic is not known.
        """
        start = end - period * length
        values: list[list[float]] = [[] for _ in range(length)]
        for at, value in self._values.get(_key(namespace, name, dimensions), ()):
            if start <= at < end:
                values[int((at - start) // period)].append(value)
        return [statistic_of(each, statistic) if each else None for each in values]


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
