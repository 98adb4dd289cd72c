import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from local.emulator.alarms import next_state
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


def _put(emulator: Emulator, namespace: str, kind: str, value: float, age: float = 0) -> None:
    import time

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
    _put(emulator, namespace, "ours", 5, age=7)
    assert state_of(alarm["AlarmName"]) == "ALARM"
    eventually(lambda: state_of(alarm["AlarmName"]) == "OK")


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


_ALARM = {
    "StateValue": "OK",
    "Threshold": 10,
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
}


@pytest.mark.parametrize(
    ("treatment", "values", "state"),
    [
        ("missing", [None, None, None], "INSUFFICIENT_DATA"),
        ("ignore", [None, None, None], "OK"),
        ("breaching", [None, None, None], "ALARM"),
        ("notBreaching", [None, None, None], "OK"),
        ("missing", [11, None, 11], "ALARM"),
        ("missing", [11, None, None], "OK"),
        ("breaching", [11, None, 0], "ALARM"),
        ("notBreaching", [11, None, 0], "OK"),
        ("missing", [10, 10, 10], "OK"),
        ("missing", [11, 0, 11], "ALARM"),
    ],
)
def test_missing_data_is_treated_as_the_alarm_says(treatment: str, values: list[float | None], state: str) -> None:
    assert next_state(_ALARM | {"TreatMissingData": treatment}, values) == state


@pytest.mark.parametrize(
    ("operator", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", [10, 11]),
        ("GreaterThanThreshold", [11]),
        ("LessThanThreshold", [9]),
        ("LessThanOrEqualToThreshold", [9, 10]),
    ],
)
def test_comparison_operators(operator: str, breaching: list[float]) -> None:
    alarm = _ALARM | {"ComparisonOperator": operator, "EvaluationPeriods": 1, "DatapointsToAlarm": 1}
    assert [value for value in (9, 10, 11) if next_state(alarm, [value]) == "ALARM"] == breaching
