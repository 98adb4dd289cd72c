"""Alarm states, against the tables of CloudWatch's page "Configuring how CloudWatch alarms treat missing data"."""

from typing import Any

import pytest

from local.cloudwatch.alarm_state import AlarmState, alarm_state, decide
from tests.support.metric_store import MetricStore

OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
POINTS = {"0": False, "X": True, "-": None}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEPT = "retain current state"

# The five most recent datapoints; then the state by TREATMENTS.
THREE_OF_THREE = [
    ("0 - X - X", OK, OK, OK, OK),
    ("0 - - - -", OK, OK, OK, OK),
    ("- - - - -", INSUFFICIENT, KEPT, ALARM, OK),
    ("0 X X - X", ALARM, ALARM, ALARM, ALARM),
    ("- - X - -", ALARM, KEPT, ALARM, OK),
]
TWO_OF_THREE = [
    ("0 - X - X", ALARM, ALARM, ALARM, ALARM),
    ("0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
    ("0 - X - -", OK, OK, ALARM, OK),
    ("- - - - 0", OK, OK, ALARM, OK),
    ("- - - X -", ALARM, KEPT, ALARM, OK),
]
DOCUMENTED = [
    pytest.param(3 - m, points, treatment, state, id=f"{3 - m} of 3: {points} {treatment}")
    for m, table in enumerate((THREE_OF_THREE, TWO_OF_THREE))
    for points, *states in table
    for treatment, state in zip(TREATMENTS, states, strict=True)
]


@pytest.mark.parametrize(("datapoints", "points", "treatment", "expected"), DOCUMENTED)
@pytest.mark.parametrize("previous", list(AlarmState))
def test_documented_examples(
    datapoints: int, points: str, treatment: str, expected: AlarmState | str, previous: AlarmState
) -> None:
    breaching = [POINTS[point] for point in points.split()]
    state = decide(breaching, datapoints=datapoints, periods=3, missing=treatment, previous=previous)
    assert state == (previous if expected == KEPT else expected)


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_a_first_breach_is_no_alarm_yet(points: str) -> None:
    # "Avoiding premature transitions to alarm state": the next datapoint may be fine.
    breaching = [POINTS[point] for point in points.split()]
    assert decide(breaching, datapoints=3, periods=3, missing="missing", previous=OK) is not ALARM


def test_an_unknown_treatment_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown TreatMissingData 'hope'"):
        decide([None], datapoints=1, periods=1, missing="hope", previous=OK)


def _alarm(**changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": "example",
        "Namespace": "Example",
        "MetricName": "Failures",
        "Dimensions": [{"Name": "environment", "Value": "dev"}, {"Name": "service", "Value": "mfa"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 3,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **changes,
    }


def _published(*values: float, seconds_between: float = 0) -> MetricStore:
    store = MetricStore()
    for index, value in enumerate(values):
        at = 1000 - seconds_between * index
        store.put("Example", "Failures", {"environment": "dev", "service": "mfa"}, value, at=at)
    return store


def test_counts_sum_up_within_a_period_and_not_across() -> None:
    assert alarm_state(_alarm(), _published(1, 1, 1), now=1200) is ALARM
    assert alarm_state(_alarm(), _published(1, 1, 1, seconds_between=300), now=1200) is OK


@pytest.mark.parametrize(
    ("operator", "at_threshold", "above"),
    [
        ("GreaterThanOrEqualToThreshold", ALARM, ALARM),
        ("GreaterThanThreshold", OK, ALARM),
        ("LessThanThreshold", OK, OK),
        ("LessThanOrEqualToThreshold", ALARM, OK),
    ],
)
def test_comparison_operators(operator: str, at_threshold: AlarmState, above: AlarmState) -> None:
    alarm = _alarm(ComparisonOperator=operator)
    assert alarm_state(alarm, _published(3), now=1200) is at_threshold
    assert alarm_state(alarm, _published(4), now=1200) is above


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4), ("p50", 2), ("p99", 4)],
)
def test_statistics(statistic: str, value: float) -> None:
    of = {"Statistic": None, "ExtendedStatistic": statistic} if statistic.startswith("p") else {"Statistic": statistic}
    store = _published(1, 2, 3, 4)
    assert alarm_state(_alarm(Threshold=value, **of), store, now=1200) is ALARM
    assert alarm_state(_alarm(Threshold=value + 0.1, **of), store, now=1200) is OK


@pytest.mark.parametrize(
    "dimensions",
    [
        {"environment": "dev"},
        {"environment": "dev", "service": "other"},
        {"environment": "dev", "service": "mfa", "function": "setup"},
        {},
    ],
    ids=["one missing", "one wrong", "one too many", "none"],
)
def test_other_dimensions_are_another_metric(dimensions: dict[str, str]) -> None:
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    assert alarm_state(_alarm(Dimensions=pairs), _published(9), now=1200) is OK


def test_metric_math_watches_the_one_returned_result() -> None:
    stat = {"Metric": {k: _alarm()[k] for k in ("Namespace", "MetricName", "Dimensions")}, "Period": 300, "Stat": "Sum"}
    query = {"Id": "m", "MetricStat": stat, "ReturnData": False}
    alarm = _alarm(Metrics=[{"Id": "e", "Expression": "2*FILL(m,0)", "ReturnData": True}, query])
    assert alarm_state(alarm, _published(2), now=1200) is ALARM
    assert alarm_state(alarm, _published(1), now=1200) is OK
    assert alarm_state(_alarm(Metrics=[{**query, "ReturnData": True}]), _published(3), now=1200) is ALARM
    with pytest.raises(ValueError, match="an alarm watches one result, not 0"):
        alarm_state(_alarm(Metrics=[query]), _published(1), now=1200)


def test_unknown_statistics_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown statistic 'TM99'"):
        alarm_state(_alarm(Statistic="TM99"), _published(1), now=1200)
