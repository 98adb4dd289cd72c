import json
from typing import Any

import pytest

from tests.support.emulator import Deploy, Emulator, eventually, function


def test_what_a_function_logs_as_emf_becomes_a_metric(emulator: Emulator, deploy: Deploy) -> None:
    directive = {"Namespace": "Test", "Dimensions": [["kind"]], "Metrics": [{"Name": "Hits", "Unit": "Count"}]}
    line = json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, "Hits": 3, "kind": "a"})
    deployed = deploy({"F": function(f"def handler(event, context):\n    print({line!r})")})
    emulator.client("lambda").invoke(FunctionName=deployed.physical_id("F"))
    assert eventually(lambda: emulator.total("Test", "Hits", kind="a")) == 3
    assert emulator.total("Test", "Hits", kind="b") == 0


@pytest.mark.parametrize("invocation", ["RequestResponse", "Event"])
def test_every_invocation_is_counted_once(emulator: Emulator, deploy: Deploy, invocation: str) -> None:
    deployed = deploy({"F": function("def handler(event, context):\n    return event['answer']")})
    name = deployed.physical_id("F")

    def total(metric: str) -> float:
        return emulator.total("AWS/Lambda", metric, FunctionName=name)

    def invoke(event: dict[str, Any]) -> None:
        emulator.client("lambda").invoke(FunctionName=name, InvocationType=invocation, Payload=json.dumps(event))

    invoke({"answer": 1})
    assert eventually(lambda: total("Invocations")) == 1
    assert (total("Errors"), total("Throttles")) == (0, 0)
    assert total("Duration") > 0
    if invocation == "RequestResponse":  # Lambda retries the others, after a minute
        invoke({})
        assert (total("Invocations"), total("Errors")) == (2, 1)


def test_a_refused_invocation_is_a_throttle(emulator: Emulator, deploy: Deploy) -> None:
    deployed = deploy({"F": function("def handler(event, context):\n    return 1")})
    name = deployed.physical_id("F")
    client = emulator.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)
    assert emulator.total("AWS/Lambda", "Throttles", FunctionName=name) >= 1  # the SDK retries
    assert emulator.total("AWS/Lambda", "Invocations", FunctionName=name) == 0
