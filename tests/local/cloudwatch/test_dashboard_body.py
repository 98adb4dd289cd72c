"""The checker of dashboard bodies: it must find each kind of mistake, else its silence means nothing."""

from typing import Any

import pytest

from local.cloudwatch.dashboard_body import expand_metrics, metrics_shown, problems, with_input


def _widget(**changes: Any) -> dict[str, Any]:
    properties = {"region": "eu-central-1", "metrics": [["AWS/Lambda", "Errors", "FunctionName", "f"]]}
    return {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": properties, **changes}


def _metrics(*metrics: list[Any], **properties: Any) -> dict[str, Any]:
    return _widget(properties={"region": "r", "metrics": metrics, **properties})


def test_a_good_body_has_no_problems() -> None:
    text = {"type": "text", "x": 12, "y": 0, "width": 12, "height": 6, "properties": {"markdown": "# hello"}}
    assert problems({"widgets": [_widget(), text]}) == []


@pytest.mark.parametrize(
    ("widgets", "complaint"),
    [
        ([], "a dashboard has a list of widgets"),
        ([_widget(), _widget(x=11)], "widgets 0 and 1 overlap"),
        ([_widget(), _widget(y=5)], "widgets 0 and 1 overlap"),
        ([_widget(x=13)], "leaves the 24 columns"),
        ([_widget(width=0)], "leaves the 24 columns"),
        ([_widget(height=0)], "is too high or too low"),
        ([_widget(height=1001)], "is too high or too low"),
        ([_widget(x=0.5)], "x, y, width and height are whole numbers"),
        ([_widget(type="chart")], "has no known type"),
        ([_widget(properties=None)], "has no properties"),
        ([_widget(properties={"metrics": [["A", "b"]]})], "has no region"),
        ([_metrics()], "shows 1 to 500 metrics"),
        ([_metrics(["A", "b", "c"])], "pairs of dimensions"),
        ([_metrics(["A"])], "pairs of dimensions"),
        ([_metrics([{"label": "x"}])], "neither metric nor expression"),
        ([_metrics(["A", "b"], view="heap")], "has no known view"),
        ([_metrics(["A", "b"], view="gauge", yAxis={"left": {"min": 0}})], "gauge without a lowest and a highest"),
        ([_widget(type="alarm", properties={"alarms": ["arn"], "states": ["ON"]})], "unknown state"),
        ([_metrics(["A", "b", {"id": "m"}], ["A", "c", {"id": "m"}])], "uses one id twice"),
        ([_metrics(["A", "b", {"id": "M1"}])], "small letter"),
        ([_widget(type="text", properties={"markdown": ""})], "has no text"),
        ([_widget(type="log", properties={"query": "fields x", "region": "r"})], "has no query with a source"),
        ([_widget(type="log", properties={"query": "SOURCE 'a' | fields x"})], "has no region"),
        ([_widget(type="alarm", properties={"alarms": []})], "shows 1 to 100 alarms"),
        ([_widget(y=6 * index) for index in range(501)], "more than 500 widgets"),
    ],
)
def test_finds(widgets: list[dict[str, Any]], complaint: str) -> None:
    assert any(complaint in problem for problem in problems({"widgets": widgets}))


def test_reads_the_shorthands() -> None:
    metrics: list[list[Any]] = [
        ["AWS/Lambda", "Errors", "FunctionName", "one", {"stat": "Sum"}],
        ["...", "two", {"stat": "p99"}],
        [".", "Throttles", ".", "."],
    ]
    assert list(expand_metrics(metrics)) == [
        ["AWS/Lambda", "Errors", "FunctionName", "one", {"stat": "Sum"}],
        ["AWS/Lambda", "Errors", "FunctionName", "two", {"stat": "p99"}],
        ["AWS/Lambda", "Throttles", "FunctionName", "two"],
    ]
    assert metrics_shown({"widgets": [_widget(properties={"metrics": metrics})]}) == {
        ("AWS/Lambda", "Errors", (("FunctionName", "one"),)),
        ("AWS/Lambda", "Errors", (("FunctionName", "two"),)),
        ("AWS/Lambda", "Throttles", (("FunctionName", "two"),)),
    }


def test_text_in_the_search_field_replaces_its_pattern_in_all_widgets_and_stays_text() -> None:
    field = {"type": "pattern", "inputType": "input", "id": "find", "pattern": "WANTED"}
    log = _widget(type="log", properties={"region": "r", "query": "SOURCE 'a' | filter id = \"WANTED\""})
    body = {"widgets": [log, _widget()], "variables": [field]}
    changed = with_input(body, 'x"\\')
    assert changed["widgets"][0]["properties"]["query"].endswith('"x"\\"')
    assert changed["widgets"][1] == body["widgets"][1]
    assert with_input(body, "") == body
    assert with_input({"widgets": [log]}, "x") == {"widgets": [log]}
