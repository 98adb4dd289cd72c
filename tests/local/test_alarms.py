import time
import uuid
from typing import Any

import pytest

from local.cloudwatch.availability import AWS_ONLY
from tests.support.emulator import Deploy, Emulator, eventually, resource


@pytest.fixture
def namespace() -> str:
    return f"Alarms/{uuid.uuid4().hex[:8]}"


def _alarm(namespace: str, **properties: Any) -> dict[str, Any]:
    return {
        "AlarmName": f"alarm-{uuid.uuid4().hex[:8]}",
        "Namespace": namespace,
        "MetricName": "Hits",
        "Dimensions": [{"Name": "kind", "Value": "ours"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    } | properties


def _doubled(namespace: str, **properties: Any) -> dict[str, Any]:
    """Return an alarm that computes twice its metric, quiet periods counting as zero."""
    alarm = _alarm(namespace, **properties)
    metric = {name: alarm.pop(name) for name in ("Namespace", "MetricName", "Dimensions")}
    stat = {"Metric": metric, "Stat": alarm.pop("Statistic"), "Period": alarm.pop("Period")}
    queries = [
        {"Id": "hits", "MetricStat": stat, "ReturnData": False},
        {"Id": "doubled", "Expression": "2 * FILL(hits, 0)", "ReturnData": True},
    ]
    return alarm | {"Metrics": queries}


def _put(emulator: Emulator, namespace: str, kind: str, value: float, age: float = 0) -> None:
    datum = {
        "MetricName": "Hits",
        "Value": value,
        "Timestamp": time.time() - age,
        "Dimensions": [{"Name": "kind", "Value": kind}],
    }
    emulator.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])


def _described(emulator: Emulator, alarm: dict[str, Any]) -> dict[str, Any]:
    found = emulator.client("cloudwatch").describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
    return dict(found[0])


def _state(emulator: Emulator, alarm: dict[str, Any]) -> str:
    return str(_described(emulator, alarm)["StateValue"])


def test_an_alarm_recovers_without_a_new_datapoint(emulator: Emulator, namespace: str) -> None:
    alarm = _alarm(namespace, Period=10)
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    _put(emulator, namespace, "ours", 5, age=25)  # counts until it is three periods old
    assert _state(emulator, alarm) == "ALARM"
    eventually(lambda: _state(emulator, alarm) == "OK")


def test_metric_math_is_evaluated(emulator: Emulator, namespace: str) -> None:
    alarm = _doubled(namespace, Period=10)
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    assert _state(emulator, alarm) == "OK"
    _put(emulator, namespace, "theirs", 100)
    assert _state(emulator, alarm) == "OK"
    _put(emulator, namespace, "ours", 1, age=7)
    described = _described(emulator, alarm)
    assert described["StateValue"] == "ALARM"
    assert described["StateReason"] == "Threshold Crossed: [2] GreaterThanOrEqualToThreshold 2"
    assert described["Metrics"] == alarm["Metrics"]
    assert "MetricName" not in described
    eventually(lambda: _state(emulator, alarm) == "OK")


def test_an_alarm_on_a_metric_that_only_aws_publishes_is_not_evaluated(emulator: Emulator) -> None:
    alarm = _alarm("AWS/SQS")
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    described = _described(emulator, alarm)
    assert (described["StateValue"], described["StateReason"]) == ("INSUFFICIENT_DATA", AWS_ONLY)


def test_an_alarm_that_cannot_be_evaluated_says_why(emulator: Emulator, namespace: str) -> None:
    alarm = _doubled(namespace)
    alarm["Metrics"][1]["Expression"] = "ANOMALY_DETECTION_BAND(hits)"
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    described = _described(emulator, alarm)
    assert described["StateValue"] == "INSUFFICIENT_DATA"
    assert "ANOMALY_DETECTION_BAND of 1 such arguments is not implemented" in described["StateReason"]


def test_a_composite_alarm_follows_its_children(emulator: Emulator, deploy: Deploy, namespace: str) -> None:
    child, parent = _alarm(namespace), f"parent-{uuid.uuid4().hex[:8]}"
    cloudwatch = emulator.client("cloudwatch")

    def template(description: str) -> dict[str, Any]:
        rule = {"AlarmName": parent, "AlarmRule": f'ALARM("{child["AlarmName"]}")', "AlarmDescription": description}
        composite = resource("CloudWatch::CompositeAlarm", **rule) | {"DependsOn": "Child"}
        return {"Child": resource("CloudWatch::Alarm", **child), "Parent": composite}

    def described() -> tuple[str, str]:
        (found,) = cloudwatch.describe_alarms(AlarmNames=[parent], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        return found["AlarmDescription"], found["StateValue"]

    deployed = deploy(template("first"), {"Arn": {"Fn::GetAtt": ["Parent", "Arn"]}})
    assert deployed.outputs["Arn"].endswith(f":alarm:{parent}")
    assert described() == ("first", "OK")
    _put(emulator, namespace, "ours", 2)
    eventually(lambda: described() == ("first", "ALARM"))
    deployed.update(template("second"), {"Arn": {"Fn::GetAtt": ["Parent", "Arn"]}})
    assert described() == ("second", "ALARM")
