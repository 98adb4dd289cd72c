import json
import time
from typing import Any

import pytest

from tests.support.emulator import Emulator, eventually, function


def _total(emulator: Emulator, namespace: str, name: str, **dimensions: str) -> float:
    now = time.time()
    points = emulator.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - 600,
        EndTime=now + 60,
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_what_a_function_logs_as_emf_becomes_a_metric(emulator: Emulator) -> None:
    directive = {"Namespace": "Test", "Dimensions": [["kind"]], "Metrics": [{"Name": "Hits", "Unit": "Count"}]}
    line = json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, "Hits": 3, "kind": "a"})
    deployed = emulator.deploy({"F": function(f"def handler(event, context):\n    print({line!r})")})
    emulator.client("lambda").invoke(FunctionName=deployed.physical_id("F"))
    assert eventually(lambda: _total(emulator, "Test", "Hits", kind="a")) == 3
    assert _total(emulator, "Test", "Hits", kind="b") == 0
    deployed.delete()


@pytest.mark.parametrize("invocation", ["RequestResponse", "Event"])
def test_every_invocation_is_counted_once(emulator: Emulator, invocation: str) -> None:
    deployed = emulator.deploy({"F": function("def handler(event, context):\n    return event['answer']")})
    name = deployed.physical_id("F")

    def total(metric: str) -> float:
        return _total(emulator, "AWS/Lambda", metric, FunctionName=name)

    def invoke(event: dict[str, Any]) -> None:
        emulator.client("lambda").invoke(FunctionName=name, InvocationType=invocation, Payload=json.dumps(event))

    invoke({"answer": 1})
    assert eventually(lambda: total("Invocations")) == 1
    assert (total("Errors"), total("Throttles")) == (0, 0)
    assert total("Duration") > 0
    if invocation == "RequestResponse":  # Lambda retries the others, after a minute
        invoke({})
        assert (total("Invocations"), total("Errors")) == (2, 1)
    deployed.delete()


def test_a_refused_invocation_is_a_throttle(emulator: Emulator) -> None:
    deployed = emulator.deploy({"F": function("def handler(event, context):\n    return 1")})
    name = deployed.physical_id("F")
    client = emulator.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)
    assert _total(emulator, "AWS/Lambda", "Throttles", FunctionName=name) >= 1  # the SDK retries
    assert _total(emulator, "AWS/Lambda", "Invocations", FunctionName=name) == 0
    deployed.delete()
