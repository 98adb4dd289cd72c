import json
import time
from typing import Any

import pytest

from local.emulator.metrics import embedded_metrics_of
from tests.support.emulator import Emulator, eventually, function


def _line(metrics: list[dict[str, str]], dimensions: list[list[str]], **members: Any) -> str:
    directive = {"Namespace": "Test", "Dimensions": dimensions, "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}} | members)


def test_a_log_line_in_emf_yields_its_datapoints() -> None:
    line = _line([{"Name": "Hits", "Unit": "Count"}, {"Name": "Size"}], [["kind"], []], Hits=[1, 2.5], Size=7, kind="a")
    assert list(embedded_metrics_of(line)) == [
        ("Test", "Hits", 1, "Count", {"kind": "a"}),
        ("Test", "Hits", 2.5, "Count", {"kind": "a"}),
        ("Test", "Size", 7, "None", {"kind": "a"}),
        ("Test", "Hits", 1, "Count", {}),
        ("Test", "Hits", 2.5, "Count", {}),
        ("Test", "Size", 7, "None", {}),
    ]


@pytest.mark.parametrize(
    "line", ["", "no JSON", "[]", "null", '{"_aws": 1}', '{"_aws": {}}', _line([{"Name": "Hits"}], [[]], Hits="many")]
)
def test_a_log_line_that_is_no_emf_yields_nothing(line: str) -> None:
    assert list(embedded_metrics_of(line)) == []


def test_what_a_function_logs_as_emf_becomes_a_metric(emulator: Emulator) -> None:
    line = _line([{"Name": "Hits", "Unit": "Count"}], [["kind"]], Hits=3, kind="a")
    deployed = emulator.deploy({"F": function(f"def handler(event, context):\n    print({line!r})")})
    emulator.client("lambda").invoke(FunctionName=deployed.physical_id("F"))

    def total(kind: str) -> float:
        now = time.time()
        points = emulator.client("cloudwatch").get_metric_statistics(
            Namespace="Test",
            MetricName="Hits",
            Dimensions=[{"Name": "kind", "Value": kind}],
            StartTime=now - 600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    assert eventually(lambda: total("a")) == 3
    assert total("b") == 0
    deployed.delete()
