import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from local.cloudwatch.availability import AWS_ONLY
from tests.support.emulator import Emulator, eventually, function


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


@pytest.fixture
def state_of(emulator: Emulator) -> Callable[[str], str]:
    def state(name: str) -> str:
        alarms = emulator.client("cloudwatch").describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return str((alarms["MetricAlarms"] + alarms["CompositeAlarms"])[0]["StateValue"])

    return state


def test_datapoints_of_other_dimensions_do_not_count(
    emulator: Emulator, namespace: str, state_of: Callable[[str], str]
) -> None:
    alarm = _alarm(namespace)
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    _put(emulator, namespace, "theirs", 100)
    _put(emulator, namespace, "ours", 1)
    assert state_of(alarm["AlarmName"]) == "OK"
    _put(emulator, namespace, "ours", 1)
    assert state_of(alarm["AlarmName"]) == "ALARM"


def test_periods_are_looked_at_one_by_one(emulator: Emulator, namespace: str, state_of: Callable[[str], str]) -> None:
    alarm = _alarm(namespace, EvaluationPeriods=3, DatapointsToAlarm=2)
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    _put(emulator, namespace, "ours", 5, age=90)  # one period of three, however high its sum
    _put(emulator, namespace, "ours", 1)
    assert state_of(alarm["AlarmName"]) == "OK"
    _put(emulator, namespace, "ours", 1)
    assert state_of(alarm["AlarmName"]) == "ALARM"


def test_an_alarm_recovers_without_a_new_datapoint(
    emulator: Emulator, namespace: str, state_of: Callable[[str], str]
) -> None:
    alarm = _alarm(namespace, Period=10)
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    _put(emulator, namespace, "ours", 5, age=25)  # counts until it is three periods old
    assert state_of(alarm["AlarmName"]) == "ALARM"
    eventually(lambda: state_of(alarm["AlarmName"]) == "OK")


def test_metric_math_is_evaluated(emulator: Emulator, namespace: str, state_of: Callable[[str], str]) -> None:
    alarm = _doubled(namespace, Period=10)
    cloudwatch = emulator.client("cloudwatch")
    cloudwatch.put_metric_alarm(**alarm)
    assert state_of(alarm["AlarmName"]) == "OK"
    _put(emulator, namespace, "theirs", 100)
    assert state_of(alarm["AlarmName"]) == "OK"
    _put(emulator, namespace, "ours", 1, age=7)
    (described,) = cloudwatch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
    assert described["StateValue"] == "ALARM"
    assert described["StateReason"] == "Threshold Crossed: [2] GreaterThanOrEqualToThreshold 2"
    assert described["Metrics"] == alarm["Metrics"]
    assert "MetricName" not in described
    eventually(lambda: state_of(alarm["AlarmName"]) == "OK")


def test_missing_data_is_treated_as_the_alarm_says(
    emulator: Emulator, namespace: str, state_of: Callable[[str], str]
) -> None:
    states = {"missing": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK", "ignore": "INSUFFICIENT_DATA"}
    for treatment, expected in states.items():
        alarm = _alarm(namespace, TreatMissingData=treatment)
        emulator.client("cloudwatch").put_metric_alarm(**alarm)
        assert state_of(alarm["AlarmName"]) == expected


def test_an_alarm_on_a_metric_that_only_aws_publishes_is_not_evaluated(emulator: Emulator) -> None:
    alarm = _alarm("AWS/SQS")
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    (described,) = emulator.client("cloudwatch").describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
    assert (described["StateValue"], described["StateReason"]) == ("INSUFFICIENT_DATA", AWS_ONLY)


def test_an_alarm_that_cannot_be_evaluated_says_why(emulator: Emulator, namespace: str) -> None:
    alarm = _doubled(namespace)
    alarm["Metrics"][1]["Expression"] = "ANOMALY_DETECTION_BAND(hits)"
    emulator.client("cloudwatch").put_metric_alarm(**alarm)
    (described,) = emulator.client("cloudwatch").describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
    assert described["StateValue"] == "INSUFFICIENT_DATA"
    assert "ANOMALY_DETECTION_BAND of 1 such arguments is not implemented" in described["StateReason"]


def test_a_composite_alarm_follows_its_rule(emulator: Emulator, namespace: str, state_of: Callable[[str], str]) -> None:
    cloudwatch = emulator.client("cloudwatch")
    simple, computed = _alarm(namespace), _doubled(namespace, Threshold=5)
    for each in (simple, computed):
        cloudwatch.put_metric_alarm(**each)
    composite = f"composite-{uuid.uuid4().hex[:8]}"
    rule = f'ALARM("{simple["AlarmName"]}") AND NOT ALARM({computed["AlarmName"]})'
    cloudwatch.put_composite_alarm(AlarmName=composite, AlarmRule=rule)
    assert state_of(composite) == "OK"
    _put(emulator, namespace, "ours", 2)
    assert state_of(composite) == "ALARM"
    _put(emulator, namespace, "ours", 1)
    assert (state_of(computed["AlarmName"]), state_of(composite)) == ("ALARM", "OK")


def test_a_metric_in_a_functions_log_sets_off_an_alarm_whose_message_reaches_a_queue(emulator: Emulator) -> None:
    directive = {"Namespace": "Alarms/Log", "Dimensions": [["kind"]], "Metrics": [{"Name": "Hits"}]}
    line = json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, "Hits": 5, "kind": "ours"})
    deployed = emulator.deploy(
        {
            "F": function(f"def handler(event, context):\n    print({line!r})"),
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Queue"}],
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "sns.amazonaws.com"},
                                "Action": "sqs:SendMessage",
                                "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                            }
                        ],
                    },
                },
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"},
                    "Protocol": "sqs",
                    "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
                },
            },
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": _alarm("Alarms/Log", AlarmActions=[{"Ref": "Topic"}]),
            },
        }
    )
    emulator.client("lambda").invoke(FunctionName=deployed.physical_id("F"))
    received = emulator.client("sqs").receive_message(QueueUrl=deployed.physical_id("Queue"), WaitTimeSeconds=10)
    message = json.loads(json.loads(received["Messages"][0]["Body"])["Message"])
    assert message["AlarmName"] == deployed.physical_id("Alarm")
    assert message["NewStateValue"] == "ALARM"
    deployed.delete()
