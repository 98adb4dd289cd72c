"""The parser of the Embedded Metric Format, against its specification in the CloudWatch user guide."""

import json
from typing import Any

import pytest

from local.cloudwatch.embedded_metrics import Datapoint, datapoints
from tests.support.metric_store import MetricStore


def _line(metrics: list[dict[str, str]], dimensions: list[list[str]] | None, **members: Any) -> str:
    directive = {"Namespace": "Test", "Metrics": metrics} | ({} if dimensions is None else {"Dimensions": dimensions})
    return json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}} | members)


def _found(line: str) -> list[tuple[str, str, float, str, dict[str, str]]]:
    return [(each.namespace, each.name, each.value, each.unit, dict(each.dimensions)) for each in datapoints(line)]


def test_yields_a_datapoint_for_each_value_in_each_set_of_dimensions() -> None:
    line = _line([{"Name": "Hits", "Unit": "Count"}, {"Name": "Size"}], [["kind"], []], Hits=[1, 2.5], Size=7, kind="a")
    assert _found(line) == [
        ("Test", "Hits", 1, "Count", {"kind": "a"}),
        ("Test", "Hits", 2.5, "Count", {"kind": "a"}),
        ("Test", "Size", 7, "None", {"kind": "a"}),
        ("Test", "Hits", 1, "Count", {}),
        ("Test", "Hits", 2.5, "Count", {}),
        ("Test", "Size", 7, "None", {}),
    ]


def test_one_document_can_have_several_directives() -> None:
    directives: list[dict[str, Any]] = [
        {"Namespace": name, "Dimensions": [[]], "Metrics": [{"Name": "Hits"}]} for name in ("A", "B")
    ]
    line = json.dumps({"_aws": {"CloudWatchMetrics": directives}, "Hits": 1, "message": "also a log line"})
    assert datapoints(line) == [Datapoint(namespace=name, name="Hits", dimensions={}, value=1) for name in ("A", "B")]


def test_metrics_without_dimensions_have_none() -> None:
    assert _found(_line([{"Name": "Hits"}], None, Hits=1)) == [("Test", "Hits", 1, "None", {})]


def test_a_dimension_that_is_no_text_is_published_as_text() -> None:
    assert _found(_line([{"Name": "Hits"}], [["version"]], Hits=1, version=7))[0][-1] == {"version": "7"}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "START RequestId: 1",
        "not JSON",
        'not JSON, but with "_aws"',
        "[]",
        "null",
        '["_aws"]',
        '{"message": "hello"}',
        '{"_aws": 1}',
        '{"_aws": {}}',
        '{"_aws": {"CloudWatchMetrics": 1}}',
        '{"_aws": {"CloudWatchMetrics": [1]}}',
        '{"_aws": {"CloudWatchMetrics": [{"Namespace": "Test", "Metrics": [{}]}]}, "Hits": 1}',
        '{"_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "Hits"}]}]}, "Hits": 1}',
        _line([{"Name": "Hits"}], [[]]),
        _line([{"Name": "Hits"}], [[]], Hits="many"),
        _line([{"Name": "Hits"}], [[]], Hits=True),
        _line([{"Name": "Hits"}], [["kind"]], Hits=1),
    ],
)
def test_publishes_nothing_from_other_lines_and_malformed_documents(line: str) -> None:
    assert datapoints(line) == []


def test_a_store_skips_lines_in_other_formats() -> None:
    store = MetricStore()
    store.put_embedded(["START RequestId: 1", '{"message": "hello"}', "[1]", ""], at=0)
    assert store.names("Test") == set()
    store.put_embedded([_line([{"Name": "Hits"}], [[]], Hits=1)], at=0)
    assert store.names("Test") == {"Hits"}
