"""CloudWatch alarms on single metrics: which datapoints they look at, and when."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

_EVALUATION_SECONDS: Final = 5.0


def alarm_evaluation() -> None:
    """Evaluate alarms on their own dimensions, period by period, M out of N, treating missing data as told.

    MiniStack takes the datapoints of every dimension, all periods as one, and leaves an alarm without data alone.
    Other than on AWS, periods end now, not at the full minute, so that one need not wait for it.
    """
    cloudwatch._evaluate_alarm = _evaluate


def alarms_by_the_clock() -> None:
    """Evaluate alarms every few seconds, so that they recover; MiniStack does so when a metric comes in."""

    def evaluate_all() -> None:
        while True:
            time.sleep(_EVALUATION_SECONDS)
            for account, region in {(account, region) for account, region, _ in list(cloudwatch._alarms._data)}:
                with request_scope(account, region):
                    cloudwatch._evaluate_all_alarms()

    threading.Thread(target=evaluate_all, name="alarms", daemon=True).start()


def _evaluate(alarm: dict[str, Any]) -> None:
    if not alarm.get("MetricName") or not alarm.get("Namespace"):
        return  # metric math, which is inert
    dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []}
    points = [
        point
        for (namespace, name, _), series in list(cloudwatch._metrics.items())
        if (namespace, name) == (alarm["Namespace"], alarm["MetricName"])
        for point in list(series)
        if (point.get("Dimensions") or {}) == dimensions
    ]
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    values = _periods(points, statistic, period=int(alarm["Period"]), count=int(alarm["EvaluationPeriods"]))
    state = next_state(alarm, values)
    before = alarm["StateValue"]
    if state == before:
        return
    shown = ", ".join("missing" if value is None else f"{value:g}" for value in values)
    reason = f"Threshold Crossed: {statistic} [{shown}] {alarm['ComparisonOperator']} {alarm['Threshold']:g}: {state}"
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _periods(points: Sequence[dict[str, Any]], statistic: str, *, period: int, count: int) -> list[float | None]:
    """Return the statistic of the last periods, oldest first; None for one without data."""
    now = time.time()
    values: list[float | None] = []
    for age in reversed(range(count)):
        within = [point for point in points if age <= (now - point["Timestamp"]) / period < age + 1]
        stats = cloudwatch._calc_stats(within)
        values.append(cloudwatch._stat_value(stats, statistic, within) if stats else None)
    return values


def next_state(alarm: dict[str, Any], values: Sequence[float | None]) -> str:
    """Return the state that an alarm goes to, given its values in the evaluated periods.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    treatment = alarm.get("TreatMissingData") or "missing"
    present = [value for value in values if value is not None]
    if not present and treatment in {"missing", "ignore"}:
        state: str = alarm["StateValue"]
        return "INSUFFICIENT_DATA" if treatment == "missing" else state
    breaching = sum(_breaches(alarm, value) for value in present)
    if treatment == "breaching":
        breaching += len(values) - len(present)
    return "ALARM" if breaching >= int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]) else "OK"


def _breaches(alarm: dict[str, Any], value: float) -> bool:
    threshold = float(alarm["Threshold"])
    return {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }[alarm["ComparisonOperator"]]


GAPS: Final = (alarm_evaluation, alarms_by_the_clock)
