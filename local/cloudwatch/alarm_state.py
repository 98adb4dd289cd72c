"""The state of an alarm, computed from its CloudFormation properties and the published metrics.

Source: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide,
whose tables of examples are this module's tests.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from local.cloudwatch import metric_math
from local.cloudwatch.availability import available_locally
from local.cloudwatch.metric_statistics import Metrics, Statistic, Window


class AlarmState(StrEnum):
    """States of an alarm, as CloudWatch names them."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


#: CloudWatch looks further back than the evaluation periods, for datapoints to use in place of missing ones. Its
#: documentation gives one example: 5 for 3 periods.
EXTRA_PERIODS: Final = 2

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def alarm_state(
    properties: Mapping[str, Any],
    metrics: Metrics,
    *,
    now: float,
    previous: AlarmState = AlarmState.INSUFFICIENT_DATA,
) -> AlarmState:
    """Return the state of an alarm.

    Parameters
    ----------
    properties : mapping
        ``Properties`` of an ``AWS::CloudWatch::Alarm``, with every intrinsic function resolved.
    metrics : Metrics
        What was published.
    now : float
        End of the last period, seconds.
    previous : AlarmState
        State before, which some treatments of missing data keep.

    Raises
    ------
    ValueError, KeyError
        If the alarm uses something that is not implemented here.
    """
    periods = int(properties["EvaluationPeriods"])
    values = alarm_values(properties, metrics, now=now, length=periods + EXTRA_PERIODS)
    breaches = _COMPARISONS[properties["ComparisonOperator"]]
    threshold = float(properties["Threshold"])
    return decide(
        [None if value is None else breaches(value, threshold) for value in values],
        datapoints=int(properties.get("DatapointsToAlarm") or periods),
        periods=periods,
        missing=properties.get("TreatMissingData") or "missing",
        previous=previous,
    )


def alarm_values(properties: Mapping[str, Any], metrics: Metrics, *, now: float, length: int) -> list[float | None]:
    """Return the values that the alarm compares with its threshold, period by period, oldest first."""
    inputs = {
        identifier: metrics.series(statistic, Window(end=now, period=period, length=length))
        for identifier, statistic, period in _statistics(properties)
    }
    if "Metrics" not in properties:
        return inputs[""]
    returned = [query for query in properties["Metrics"] if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise ValueError(f"{properties['AlarmName']}: an alarm watches one result, not {len(returned)}")
    if "MetricStat" in returned[0]:
        return inputs[returned[0]["Id"]]
    (period,) = {period for _, _, period in _statistics(properties)}  # CloudWatch requires the same for all
    starts = Window(end=now, period=period, length=length).starts
    return metric_math.evaluate(returned[0]["Expression"], inputs, starts)


def needs_aws(properties: Mapping[str, Any]) -> bool:
    """Return whether an alarm needs a metric that the local stack does not have."""
    return not all(available_locally(each.namespace, each.name) for _, each, _ in _statistics(properties))


def _statistics(properties: Mapping[str, Any]) -> Iterator[tuple[str, Statistic, int]]:
    """Yield id, statistic and period of each metric that an alarm reads; a simple alarm has one, without an id."""
    queries = properties.get("Metrics")
    if queries is None:
        name = properties.get("ExtendedStatistic") or properties["Statistic"]
        queries = [{"Id": "", "MetricStat": {"Metric": properties, "Stat": name, "Period": properties["Period"]}}]
    for stat, query in ((query["MetricStat"], query) for query in queries if "MetricStat" in query):
        metric = stat["Metric"]
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()}
        statistic = Statistic.of(metric["Namespace"], metric["MetricName"], dimensions, stat["Stat"])
        yield query["Id"], statistic, int(stat["Period"])


def decide(
    breaching: Sequence[bool | None], *, datapoints: int, periods: int, missing: str, previous: AlarmState
) -> AlarmState:
    """Return the state that follows from the datapoints of the evaluation range.

    Parameters
    ----------
    breaching : sequence of bool or None
        Whether each datapoint breaches, oldest first; ``None`` for a missing one.
    datapoints, periods : int
        How many datapoints must breach, of how many.
    missing : str
        ``TreatMissingData``.
    previous : AlarmState
        State before.
    """
    real = [each for each in breaching if each is not None][-periods:]
    breaches, gaps = sum(real), periods - len(real)
    if breaches >= datapoints:
        return AlarmState.ALARM
    if not gaps or missing == "notBreaching":
        return AlarmState.OK
    if missing == "breaching":
        return AlarmState.ALARM if breaches + gaps >= datapoints else AlarmState.OK
    if missing not in {"missing", "ignore"}:
        raise ValueError(f"unknown TreatMissingData {missing!r}")
    if not all(real):
        return AlarmState.OK
    if missing == "ignore":
        return previous
    # "Avoiding premature transitions to alarm state" in the user guide: if all real datapoints breach, the alarm fires
    # once the oldest of them lies at least `datapoints` periods back.
    if real and len(breaching) - list(breaching).index(True) >= datapoints:
        return AlarmState.ALARM
    return AlarmState.INSUFFICIENT_DATA
