"""Published metrics in memory, in place of CloudWatch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from local.cloudwatch.embedded_metrics import datapoints
from local.cloudwatch.metric_statistics import Statistic, Window, by_period, statistic_of


@dataclass
class MetricStore:
    """Published values, found only under the same namespace, name and whole set of dimensions."""

    _values: dict[Statistic, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, *, at: float) -> None:
        """Publish one value at a time in seconds."""
        self._values[Statistic.of(namespace, name, dimensions, "")].append((at, value))

    def put_embedded(self, log_lines: Iterable[str], *, at: float) -> None:
        """Publish the metrics in log lines, as Lambda's log agent does; lines in other formats are skipped."""
        for line in log_lines:
            for each in datapoints(line):
                self.put(each.namespace, each.name, each.dimensions, each.value, at=at)

    def names(self, namespace: str) -> set[str]:
        """Return the names of the metrics published in a namespace."""
        return {metric.name for metric in self._values if metric.namespace == namespace}

    def series(self, wanted: Statistic, window: Window) -> list[float | None]:
        """Return a statistic for each period of a window, as `Metrics` describes.

        Raises
        ------
        ValueError
            If the statistic is unknown.
        """
        periods = by_period(self._values.get(replace(wanted, statistic=""), ()), window)
        return [statistic_of(values, wanted.statistic) if values else None for values in periods]
