"""In which state an alarm is, given its CloudFormation properties and what was published.

Source: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide,
whose tables of examples are this module's tests.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from local.cloudwatch import metric_math
from local.cloudwatch.metric_store import MetricStore


class AlarmState(StrEnum):
    """States of an alarm, as CloudWatch names them."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


#: CloudWatch looks further back than the evaluation periods, for real datapoints to use in place of missing ones.
#: Its documentation gives 5 for 3 periods, and says no more.
EXTRA_PERIODS: Final = 2

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def alarm_state(
    properties: Mapping[str, Any],
    metrics: MetricStore,
    *,
    now: float,
    previous: AlarmState = AlarmState.INSUFFICIENT_DATA,
) -> AlarmState:
    """Return the state of an alarm.

    Parameters
    ----------
    properties : mapping
        ``Properties`` of an ``AWS::CloudWatch::Alarm``, with every intrinsic function resolved.
    metrics : MetricStore
        What was published.
    now : float
        End of the last period, seconds.
    previous : AlarmState
        State before, kept where missing data says to.
    """
    periods = int(properties["EvaluationPeriods"])
    values = alarm_values(properties, metrics, now=now, length=periods + EXTRA_PERIODS)
    breaches = _COMPARISONS[properties["ComparisonOperator"]]
    threshold = float(properties["Threshold"])
    return decide(
        [None if value is None else breaches(value, threshold) for value in values],
        datapoints=int(properties.get("DatapointsToAlarm", periods)),
        periods=periods,
        missing=properties.get("TreatMissingData", "missing"),
        previous=previous,
    )


def alarm_values(properties: Mapping[str, Any], metrics: MetricStore, *, now: float, length: int) -> list[float | None]:
    """Return what the alarm compares with its threshold, period by period, oldest first."""

    def read(metric: Mapping[str, Any], statistic: str, period: int) -> list[float | None]:
        return metrics.series(
            metric["Namespace"],
            metric["MetricName"],
            {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())},
            statistic,
            end=now,
            period=period,
            length=length,
        )

    if "Metrics" not in properties:
        statistic = properties.get("ExtendedStatistic") or properties["Statistic"]
        return read(properties, statistic, int(properties["Period"]))
    inputs: dict[str, list[float | None]] = {}
    for query in properties["Metrics"]:
        if "MetricStat" in query:
            stat = query["MetricStat"]
            inputs[query["Id"]] = read(stat["Metric"], stat["Stat"], int(stat["Period"]))
    returned = [query for query in properties["Metrics"] if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise ValueError(f"{properties['AlarmName']}: an alarm watches one result, not {len(returned)}")
    if "MetricStat" in returned[0]:
        return inputs[returned[0]["Id"]]
    return metric_math.evaluate(returned[0]["Expression"], inputs, length)


def decide(
    breaching: Sequence[bool | None], *, datapoints: int, periods: int, missing: str, previous: AlarmState
) -> AlarmState:
    """Return the state that follows from the datapoints of the evaluation range.

    Parameters
    ----------
    breaching : sequence of bool or None
        Whether each datapoint breaches, oldest first; ``None`` where there is none.
    datapoints, periods : int
        So many of so many must breach.
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
    # Avoiding premature transitions: breaches alone suffice once the oldest is as old as `datapoints`.
    if real and len(breaching) - list(breaching).index(True) >= datapoints:
        return AlarmState.ALARM
    return AlarmState.INSUFFICIENT_DATA
