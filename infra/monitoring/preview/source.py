"""Where a picture's datapoints, alarm states and dashboard body come from."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from infra.monitoring.cloudwatch.metric_store import MetricStore

_REPORT: Final = re.compile(r"^REPORT RequestId: \S+\s+Duration: ([\d.]+) ms")
_LAMBDA: Final = "AWS/Lambda"

#: Time in seconds, log group, message.
type LogEvent = tuple[float, str, str]


class Metrics(Protocol):
    """Statistics of metrics, period by period, as `MetricStore` gives them."""

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
        """Return a statistic of the last ``length`` periods before ``end``; ``None`` without a value."""
        ...


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time that a picture shows: ``length`` periods before ``end``, seconds."""

    end: float
    period: int
    length: int

    @property
    def times(self) -> list[float]:
        """Start of each period."""
        return [self.end - self.period * (self.length - index) for index in range(self.length)]


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
        self._lambda = MetricStore()
        for at, group, message in events:
            if report := _REPORT.match(message):
                function = {"FunctionName": group.rpartition("/")[2]}
                self._lambda.put(_LAMBDA, "Invocations", function, 1, at=at)
                self._lambda.put(_LAMBDA, "Duration", function, float(report[1]), at=at)

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
        start = end - period * length
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        }
        answer = self._cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}],
            StartTime=datetime.fromtimestamp(start, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
        )["MetricDataResults"][0]
        values: list[float | None] = [None] * length
        for at, value in zip(answer["Timestamps"], answer["Values"], strict=True):
            index = int((at.timestamp() - start) // period)
            if 0 <= index < length:
                values[index] = value
        return values


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
