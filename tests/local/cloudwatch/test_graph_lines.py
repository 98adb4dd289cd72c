"""What widgets show, read from CloudWatch in few calls."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.cloudwatch.graph_lines import Line, lines, statistics_shown
from local.cloudwatch.logs_insights import log_query, run
from local.cloudwatch.metric_reader import MetricReader
from local.cloudwatch.metric_statistics import Statistic, Window, statistic_of
from tests.support.metric_store import MetricStore

WINDOW = Window(end=3600, period=300, length=4)


class CloudWatch:
    """As the embedded one answers: periods begin at multiples of their length."""

    def __init__(self, **points: list[tuple[float, float]]) -> None:
        self.calls: list[dict[str, Any]] = []
        self._points = points

    def get_paginator(self, operation: str) -> "CloudWatch":
        assert operation == "get_metric_data"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(request)
        assert len(request["MetricDataQueries"]) <= 500
        # On AWS an answer may come in pages.
        for query in request["MetricDataQueries"]:
            stat = query["MetricStat"]
            periods: dict[int, list[float]] = defaultdict(list)
            for at, value in self._points.get(stat["Metric"]["MetricName"], ()):
                if request["StartTime"].timestamp() <= at < request["EndTime"].timestamp():
                    periods[int(at // stat["Period"]) * stat["Period"]].append(value)
            result = {
                "Id": query["Id"],
                "Timestamps": [datetime.fromtimestamp(at, UTC) for at in periods],
                "Values": [statistic_of(values, stat["Stat"]) for values in periods.values()],
            }
            yield {"MetricDataResults": [result]}


def _statistic(name: str, statistic: str = "Sum") -> Statistic:
    return Statistic.of("Ours", name, {"environment": "local"}, statistic)


def test_reads_five_hundred_statistics_a_call_and_none_of_them_again() -> None:
    cloudwatch = CloudWatch(m7=[(2500, 2), (2600, 3), (3599, 4)])
    metrics = MetricReader(cloudwatch)
    metrics.read((_statistic(f"m{number}") for number in range(501)), WINDOW)
    assert [len(call["MetricDataQueries"]) for call in cloudwatch.calls] == [500, 1]
    assert metrics.series(_statistic("m7"), WINDOW) == [5, None, None, 4]
    assert metrics.series(_statistic("m8"), WINDOW) == [None] * 4
    assert len(cloudwatch.calls) == 2


def test_reads_what_nobody_read_ahead() -> None:
    assert MetricReader(CloudWatch(m=[(3000, 1)])).series(_statistic("m"), WINDOW) == [None, None, 1, None]


@pytest.mark.parametrize("end", [3600, 3601, 3725, 3899])
@pytest.mark.parametrize("statistic", ["Sum", "p90", "Average"])
def test_a_window_of_one_period_is_one_value_wherever_it_ends(end: int, statistic: str) -> None:
    inside = [(float(end - age), float(age)) for age in (1, 60, 150, 299, 300)]
    cloudwatch = CloudWatch(m=[(end - 301, 1000), *inside, (end, 1000)])
    window = Window(end=end, period=300, length=1)
    values = [value for _, value in inside]
    assert MetricReader(cloudwatch).series(_statistic("m", statistic), window) == [statistic_of(values, statistic)]


def _lines(store: MetricStore, *metrics: list[Any]) -> list[Line]:
    return lines({"metrics": list(metrics)}, store, WINDOW)


def test_a_line_has_the_bodys_label_and_colour_or_those_that_cloudwatch_would_choose() -> None:
    first, second = _lines(
        MetricStore(),
        ["Ours", "Hits", {"label": "hits", "color": "#123456", "stat": "Sum", "yAxis": "right"}],
        ["Ours", "Misses"],
    )
    assert (first.label, first.colour, first.statistic, first.right) == ("hits", "#123456", "Sum", True)
    assert (second.label, second.statistic, second.right) == ("Misses", "Average", False)
    assert second.colour.startswith("#")
    assert first.empty


def test_hidden_metrics_are_read_and_not_shown() -> None:
    store = MetricStore()
    store.put("Ours", "Hits", {}, 3, at=3300)
    metrics = (
        [{"expression": "FILL(m,0)", "label": "hits"}],
        ["Ours", "Hits", {"id": "m", "visible": False, "stat": "Sum"}],
    )
    (shown,) = _lines(store, *metrics)
    assert (shown.label, shown.values, shown.statistic) == ("hits", [0, 0, 0, 3], "Sum")
    (read,) = statistics_shown({"metrics": list(metrics)})
    assert (read.namespace, read.name, read.statistic) == ("Ours", "Hits", "Sum")


def test_a_zero_is_not_made_up_where_aws_publishes_nothing() -> None:
    metrics = (
        [{"expression": "FILL(a,0)+FILL(b,0)", "label": "errors"}],
        [{"expression": "FILL(ours,0)", "label": "ours"}],
        ["AWS/DynamoDB", "SystemErrors", {"id": "a", "visible": False, "stat": "Sum"}],
        ["AWS/DynamoDB", "UserErrors", {"id": "b", "visible": False, "stat": "Sum"}],
        ["Ours", "Hits", {"id": "ours", "visible": False, "stat": "Sum"}],
    )
    store = MetricStore()
    errors, ours = _lines(store, *metrics)
    assert errors.empty
    assert ours.values == [0, 0, 0, 0]
    store.put("AWS/DynamoDB", "UserErrors", {}, 2, at=2500)
    errors, _ = _lines(store, *metrics)
    assert errors.values == [2, 0, 0, 0]


def test_a_log_widget_asks_its_own_groups() -> None:
    query = "SOURCE '/aws/lambda/a' | SOURCE '/aws/lambda/b' | filter level = \"ERROR\"\n| stats count() as n by @log"
    assert log_query(query) == (
        ["/aws/lambda/a", "/aws/lambda/b"],
        'filter level = "ERROR"\n| stats count() as n by @log',
    )
    error = '{"level": "ERROR"}'
    events = [(1.0, "/aws/lambda/a", error), (2.0, "/aws/lambda/c", error)]
    assert run(query, events) == [{"@log": "/aws/lambda/a", "n": 1}]
