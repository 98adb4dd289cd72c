"""Statistics of metrics, read from CloudWatch in few calls."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import batched, count
from typing import Any, Final

from local.cloudwatch.metric_statistics import Statistic, Window

#: CloudWatch's limit.
_QUERIES_PER_CALL: Final = 500


class MetricReader:
    """Metrics of an account, or of the emulator.

    Parameters
    ----------
    cloudwatch
        A boto3 client.
    """

    def __init__(self, cloudwatch: Any) -> None:  # noqa: ANN401 (boto3 clients have no types)
        self._cloudwatch = cloudwatch
        self._read: dict[tuple[Statistic, Window], list[float | None]] = {}

    def read(self, statistics: Iterable[Statistic], window: Window) -> None:
        """Read statistics of a window in as few calls as CloudWatch allows; `series` then needs none for them."""
        period = _period_asked_for(window)
        for batch in batched(sorted(set(statistics), key=repr), _QUERIES_PER_CALL, strict=False):
            queries = [
                {"Id": f"m{index}", "MetricStat": {"Metric": _metric(each), "Period": period, "Stat": each.statistic}}
                for index, each in enumerate(batch)
            ]
            self._read |= {(each, window): [None] * window.length for each in batch}
            pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries,
                StartTime=datetime.fromtimestamp(window.start, UTC),
                EndTime=datetime.fromtimestamp(window.end, UTC),
                ScanBy="TimestampAscending",
            )
            for result in (each for page in pages for each in page["MetricDataResults"]):
                _fill_in(self._read[batch[int(result["Id"][1:])], window], result, window)

    def series(self, wanted: Statistic, window: Window) -> list[float | None]:
        """Return a statistic for each period of a window, as `Metrics` describes."""
        if (wanted, window) not in self._read:
            self.read([wanted], window)
        return self._read[wanted, window]


def _metric(wanted: Statistic) -> dict[str, Any]:
    return {
        "Namespace": wanted.namespace,
        "MetricName": wanted.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in wanted.dimensions],
    }


def _period_asked_for(window: Window) -> int:
    """Return the period to ask for.

    CloudWatch begins periods at multiples of their length. A window of a single period may begin anywhere: its
    datapoints come as one if the period asked for is so long that one of them contains the window.
    """
    if window.length > 1:
        return window.period
    return next(period for period in count(window.period) if window.start // period == (window.end - 1e-3) // period)


def _fill_in(values: list[float | None], result: Mapping[str, Any], window: Window) -> None:
    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
        index = int((at.timestamp() - window.start) // window.period) if window.length > 1 else 0
        if 0 <= index < window.length:
            values[index] = value
