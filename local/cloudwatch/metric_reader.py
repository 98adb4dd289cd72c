"""Where a picture's datapoints, alarm states and dashboard body come from."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched, count
from typing import Any, Final

from local.cloudwatch.graph_lines import LogEvent, Statistic, Window
from local.cloudwatch.metric_store import MetricStore

_REPORT: Final = re.compile(r"^REPORT RequestId: \S+\s+Duration: ([\d.]+) ms")
_LAMBDA: Final = "AWS/Lambda"
#: CloudWatch takes no more at a time.
_QUERIES_PER_CALL: Final = 500


def log_events(logs: Any, prefix: str, *, since: float) -> list[LogEvent]:  # noqa: ANN401 (boto3 clients have no types of their own)
    """Return what was logged since a time (epoch seconds) in the log groups whose names begin so."""
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return [
        (event["timestamp"] / 1000, group, event["message"].rstrip())
        for group in groups
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
        for event in page["events"]
    ]


class CloudWatchMetrics:
    """Metrics of an account, or of the embedded AWS.

    The embedded AWS publishes none of Lambda's own. Invocations and durations are read where Lambda itself writes
    them down: in the REPORT lines of the logs.

    Parameters
    ----------
    cloudwatch
        A boto3 client.
    events : iterable of LogEvent
        What the functions logged.
    """

    def __init__(self, cloudwatch: Any, events: Iterable[LogEvent]) -> None:  # noqa: ANN401 (boto3 clients have no types of their own)
        self._cloudwatch = cloudwatch
        self._read: dict[tuple[Statistic, Window], list[float | None]] = {}
        self._lambda = MetricStore()
        for at, group, message in events:
            if report := _REPORT.match(message):
                function = {"FunctionName": group.rpartition("/")[2]}
                self._lambda.put(_LAMBDA, "Invocations", function, 1, at=at)
                self._lambda.put(_LAMBDA, "Duration", function, float(report[1]), at=at)

    def read(self, statistics: Iterable[Statistic], window: Window) -> None:
        """Read statistics of a window in as few calls as CloudWatch allows; `series` then needs none for them."""
        wanted = sorted({each for each in statistics if each.namespace != _LAMBDA}, key=repr)
        period = _period_asked_for(window)
        for batch in batched(wanted, _QUERIES_PER_CALL, strict=False):
            queries = [
                {"Id": f"m{index}", "MetricStat": {"Metric": _metric(each), "Period": period, "Stat": each.statistic}}
                for index, each in enumerate(batch)
            ]
            self._read |= {(each, window): [None] * window.length for each in batch}
            for answer in self._answers(queries, window):
                _place(answer, self._read[batch[int(answer["Id"][1:])], window], window)

    def series(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        statistic: str,
        *,
        end: float,
        period: int,
        length: int,
    ) -> list[float | None]:
        """Return a statistic as `Metrics` says."""
        if namespace == _LAMBDA:
            return self._lambda.series(namespace, name, dimensions, statistic, end=end, period=period, length=length)
        wanted = Statistic(
            namespace=namespace, name=name, dimensions=tuple(sorted(dimensions.items())), statistic=statistic
        )
        window = Window(end=end, period=period, length=length)
        if (wanted, window) not in self._read:
            self.read([wanted], window)
        return self._read[wanted, window]

    def _answers(self, queries: Sequence[Mapping[str, Any]], window: Window) -> Iterator[Mapping[str, Any]]:
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(window.start, UTC),
            EndTime=datetime.fromtimestamp(window.end, UTC),
            ScanBy="TimestampAscending",
        )
        for page in pages:
            yield from page["MetricDataResults"]


def _metric(wanted: Statistic) -> dict[str, Any]:
    return {
        "Namespace": wanted.namespace,
        "MetricName": wanted.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in wanted.dimensions],
    }


def _period_asked_for(window: Window) -> int:
    """Return the period to ask for.

    The embedded AWS begins periods at multiples of their length. A window that is a single period may begin anywhere:
    what it holds comes as one datapoint if the period asked for is so long that one of them contains it.
    """
    if window.length > 1:
        return window.period
    return next(period for period in count(window.period) if window.start // period == (window.end - 1e-3) // period)


def _place(answer: Mapping[str, Any], values: list[float | None], window: Window) -> None:
    """Put an answer's values where their periods are."""
    for at, value in zip(answer["Timestamps"], answer["Values"], strict=True):
        index = int((at.timestamp() - window.start) // window.period) if window.length > 1 else 0
        if 0 <= index < window.length:
            values[index] = value


def alarm_states(cloudwatch: Any, prefix: str) -> dict[str, str]:  # noqa: ANN401 (boto3 clients have no types of their own)
    """Return the state of every alarm whose name begins so, by name."""
    states: dict[str, str] = {}
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    for page in pages:
        found: Sequence[Mapping[str, str]] = (*page["MetricAlarms"], *page["CompositeAlarms"])
        states |= {each["AlarmName"]: each["StateValue"] for each in found}
    return states
