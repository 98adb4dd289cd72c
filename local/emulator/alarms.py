"""CloudWatch alarms: `local.cloudwatch` evaluates them, on the metrics of the emulator."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from ministack.core.responses import request_scope
from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local.cloudwatch.alarm_rule import rule_holds
from local.cloudwatch.alarm_state import AlarmState, alarm_state, alarm_values, needs_aws
from local.cloudwatch.availability import AWS_ONLY
from local.cloudwatch.metric_statistics import Statistic, Window, by_period

#: Alarms are evaluated this often, so that they recover when nothing is published.
_EVALUATION_SECONDS: Final = 5.0
#: The least time between two evaluations, and the most that they may take of a processor.
_PAUSE_SECONDS: Final = 0.2
_LARGEST_SHARE: Final = 0.2

_published = threading.Event()
_deciding = threading.Lock()
_log = logging.getLogger(__name__)


def evaluate_soon() -> None:
    """Evaluate all alarms within a moment, because a metric was published."""
    _published.set()


def alarm_evaluation() -> None:
    """Evaluate alarms period by period, with metric math, M out of N, missing data and the rules of composite alarms.

    MiniStack does not support metric math, ignores dimensions and `TreatMissingData`, and treats all periods as one.
    Unlike on AWS, periods end now, not at a full minute, so that users need not wait for it.
    """
    cloudwatch._evaluate_alarm = _evaluate
    cloudwatch._composite_rule_state = lambda alarm: "ALARM" if rule_holds(alarm["AlarmRule"], _state) else "OK"


def alarms_by_the_clock() -> None:
    """Evaluate alarms every few seconds, and soon after a function has published a metric.

    MiniStack evaluates them only when a metric is put over its API, so that they never recover.
    """

    def watch() -> None:
        while True:
            _published.wait(_EVALUATION_SECONDS)
            _published.clear()
            began = time.monotonic()
            for account, region in {(account, region) for account, region, _ in list(cloudwatch._alarms._data)}:
                with request_scope(account, region):
                    cloudwatch._evaluate_all_alarms()
            time.sleep(max(_PAUSE_SECONDS, (time.monotonic() - began) * (1 / _LARGEST_SHARE - 1)))

    threading.Thread(target=watch, name="alarms", daemon=True).start()


def metric_queries_of_alarms() -> None:
    """Deploy and put alarms with ``Metrics``: MiniStack refuses to deploy them and ignores what is put."""
    record, put = provisioners._cw_metric_alarm_record, cloudwatch._put_metric_alarm

    def record_any(name: str, properties: dict[str, Any]) -> Any:
        if not properties.get("Metrics"):
            return record(name, properties)
        # MiniStack requires one metric.
        alarm = record(name, {key: each for key, each in properties.items() if key != "Metrics"} | _ONE_METRIC)
        kept = {key: each for key, each in alarm.items() if key not in _OF_ONE_METRIC}
        return kept | {"Metrics": properties["Metrics"]}

    def put_any(parameters: Any, request: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if not request.get("Metrics"):
            return put(parameters, request, is_cbor, is_json)
        cloudwatch.cloudformation_put_metric_alarm(record_any(request["AlarmName"], request))
        return (cloudwatch._cbor_ok if is_cbor else cloudwatch._json_ok)({})

    provisioners._cw_metric_alarm_record = record_any
    cloudwatch._put_metric_alarm = put_any


_ONE_METRIC: Final = {"MetricName": "-", "Namespace": "-"}
_OF_ONE_METRIC: Final = {*_ONE_METRIC, "Dimensions", "ExtendedStatistic", "Period", "Statistic", "Unit"}


class _EmulatedMetrics:
    """The datapoints of the account and region in scope, with the statistics that GetMetricData returns."""

    def series(self, wanted: Statistic, window: Window) -> list[float | None]:
        key = wanted.namespace, wanted.name, cloudwatch._dims_key(dict(wanted.dimensions))
        points = ((point["Timestamp"], point) for point in list(cloudwatch._metrics.get(key, ())))
        values: list[float | None] = []
        for within in by_period(points, window):
            statistics = cloudwatch._calc_stats(within)
            values.append(cloudwatch._stat_value(statistics, wanted.statistic, within) if statistics else None)
        return values


def _state(name: str) -> str | None:
    alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
    return alarm["StateValue"] if alarm else None


def _evaluate(alarm: dict[str, Any]) -> None:
    """Move an alarm to the state that follows from its metrics: record it, run its actions, evaluate its composites."""
    metrics, now = _EmulatedMetrics(), time.time()
    try:
        if needs_aws(alarm):
            alarm["StateReason"] = AWS_ONLY
            return
        # Two threads evaluate: that of the clock, and that of a request that puts a metric.
        with _deciding:
            before = alarm["StateValue"]
            state = alarm_state(alarm, metrics, now=now, previous=AlarmState(before))
            if state == before:
                return
            values = alarm_values(alarm, metrics, now=now, length=int(alarm["EvaluationPeriods"]))
            reason = _reason(alarm, values)
            alarm |= {"StateValue": str(state), "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        alarm["StateReason"] = f"Not evaluated: {type(error).__name__}: {error}"
        _log.warning("alarm %s: %s", alarm["AlarmName"], alarm["StateReason"])
        return
    cloudwatch._record_history(alarm["AlarmName"], before, str(state), reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, str(state), reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _reason(alarm: Mapping[str, Any], values: list[float | None]) -> str:
    shown = ", ".join("no data" if value is None else f"{value:g}" for value in values)
    return f"Threshold Crossed: [{shown}] {alarm['ComparisonOperator']} {alarm['Threshold']:g}"


GAPS: Final = (metric_queries_of_alarms, alarm_evaluation, alarms_by_the_clock)
