"""The operations view: alarms, and widgets with their contents."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from urllib3 import HTTPResponse

from local.bootstrap import session
from local.cloudwatch.availability import AWS_ONLY
from local.console.alarms import Alarm, alarms
from local.console.documents import Block, Span, address, blocks
from local.console.operations import CONFIG, LogTail
from local.console.widgets import AlarmTiles, Contents, Graph, LogTable, Numbers, Position, Text, TimeSpan, Unknown
from local.server import REGION
from local.stack import Credentials
from tests.support.metric_store import MetricStore

NOW = 10_000.0
SIDES = [("good", "#00aa00", "above"), ("bad", "#aa0000", "below")]
SINCE = datetime(2026, 1, 20, 10, tzinfo=UTC)

# -- alarms ------------------------------------------------------------------------------------------------------------


def _alarm(key: str, state: str = "OK", **properties: Any) -> dict[str, Any]:
    return {
        "AlarmName": f"mfa-local-{key}",
        "StateValue": state,
        "StateUpdatedTimestamp": SINCE,
        "StateReason": "because",
        "AlarmDescription": f"What happened: {key}. What to do: look. Runbook: docs/runbook.md#{key}",
    } | properties


def _on(metric: str) -> dict[str, Any]:
    return dict(zip(("Namespace", "MetricName"), metric.split(" "), strict=True)) | {"Period": 300, "Statistic": "Sum"}


def _computed(*metrics: str) -> dict[str, Any]:
    stats = [{"Metric": _on(each), "Stat": "Sum", "Period": 300} for each in metrics]
    queries = [{"Id": f"m{index}", "MetricStat": each} for index, each in enumerate(stats)]
    return {"Metrics": [{"Id": "e", "Expression": "SUM(METRICS())"}, *queries]}


def _any_of(*keys: str) -> dict[str, str]:
    arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:mfa-local-"
    return {"AlarmRule": "(" + " OR ".join(f'ALARM("{arn}{key}")' for key in keys) + ")"}


def _found(*plain: dict[str, Any], composite: Sequence[dict[str, Any]] = ()) -> list[Alarm]:
    """Return the alarms as read from CloudWatch, which describes one a page."""
    pages = [{"MetricAlarms": [each], "CompositeAlarms": []} for each in plain]
    pages += [{"MetricAlarms": [], "CompositeAlarms": [each]} for each in composite]
    paginators = {"describe_alarms": SimpleNamespace(paginate=lambda **_: pages)}
    return alarms(SimpleNamespace(get_paginator=paginators.__getitem__), "local")


def test_an_alarm_says_what_happened_what_to_do_and_where_the_runbook_is() -> None:
    (alarm,) = _found(_alarm("page", "ALARM", **_on("Ours Hits")))
    assert (alarm.name, alarm.key, alarm.state, alarm.since) == ("mfa-local-page", "page", "ALARM", SINCE.timestamp())
    assert (alarm.happened, alarm.response, alarm.reason) == ("page.", "look.", "because")
    assert alarm.runbook == "/docs/runbook#page"


def test_a_description_in_another_form_is_shown_unchanged() -> None:
    (alarm,) = _found(_alarm("page", AlarmDescription="Call Ann", **_on("Ours Hits")))
    assert (alarm.happened, alarm.response, alarm.runbook) == ("Call Ann", "", None)


def test_an_alarm_that_needs_metrics_of_aws_says_so() -> None:
    found = _found(
        _alarm("ours", **_on("Ours Hits")),
        _alarm("gateway", **_on("AWS/ApiGateway Latency")),
        _alarm("queue", **_on("AWS/SQS Messages")),
        _alarm("ours-computed", **_computed("Ours Hits", "AWS/Lambda Errors")),
        _alarm("key-computed", **_computed("Ours Hits", "AWS/KMS SuccessfulRequest")),
        composite=[_alarm("page", **_any_of("ours", "queue"))],
    )
    assert {alarm.key for alarm in found if alarm.aws_only} == {"queue", "key-computed"}


def test_the_most_urgent_alarms_come_first_and_those_of_aws_last() -> None:
    found = _found(
        _alarm("a-queue", "ALARM", **_on("AWS/SQS Messages")),
        _alarm("b-fine", **_on("Ours B")),
        _alarm("c-unsure", "INSUFFICIENT_DATA", **_on("Ours C")),
        _alarm("d-notifies", "ALARM", **_on("Ours D")),
        _alarm("e-pages", "ALARM", **_computed("Ours E")),
        composite=[_alarm("page", "ALARM", **_any_of("e-pages"))],
    )
    assert [alarm.key for alarm in found] == ["e-pages", "page", "d-notifies", "c-unsure", "b-fine", "a-queue"]
    assert [alarm.key for alarm in found if alarm.pages] == ["e-pages", "page"]


# -- widgets -----------------------------------------------------------------------------------------------------------


def _contents(store: MetricStore | None = None, longest_period: int | None = None) -> Contents:
    events = [(NOW - 5, "/aws/lambda/setup", '{"reason":"expired"}'), (NOW - 4, "/aws/other", '{"reason":"other"}')]
    span = TimeSpan(label="15 minutes", seconds=900, longest_period=longest_period)
    return Contents(now=NOW, span=span, metrics=store or MetricStore(), events=events)


def _widget(kind: str, properties: Mapping[str, Any], **place: int) -> dict[str, Any]:
    return {"type": kind, "x": 6, "y": 2, "width": 12, "height": 5} | place | {"properties": properties}


def _metric(*metrics: list[Any], **properties: Any) -> dict[str, Any]:
    return _widget("metric", {"title": "Hits", "period": 300, "metrics": list(metrics)} | properties)


def _graph(contents: Contents, widget: dict[str, Any]) -> Graph:
    made = contents.widget(widget)
    assert isinstance(made, Graph), made
    return made


def test_a_graph_has_a_value_for_each_period_in_the_time_shown() -> None:
    store = MetricStore()
    for age in (1, 299, 301):
        store.put("Ours", "Hits", {}, 1, at=NOW - age)
    made = _graph(_contents(store), _metric(["Ours", "Hits", {"label": "hits", "color": "#123456", "stat": "Sum"}]))
    assert made.position == Position(x=6, y=2, width=12, height=5)
    assert (made.title, made.period, made.start, made.note) == ("Hits", 300, 9300, "")
    (line,) = made.lines
    assert (line.label, line.colour, line.statistic, line.aws_only) == ("hits", "#123456", "Sum", False)
    # Periods begin at multiples of their length, as CloudWatch's do.
    assert line.values == [None, 2, 1]


def test_a_shorter_time_has_shorter_periods_and_thresholds_of_sums_are_written_not_drawn() -> None:
    limit = {"horizontal": [{"label": "alarm", "value": 10, "color": "#ff0000"}]}
    summed = ["Ours", "Hits", {"stat": "Sum"}]
    averaged = ["Ours", "Hits", {"stat": "p99"}]
    close = _contents(longest_period=60)
    assert _graph(close, _metric(summed)).period == 60
    assert _graph(_contents(longest_period=600), _metric(summed)).period == 300
    assert [each.period for each in _graph(close, _metric(summed, annotations=limit)).thresholds] == [300]
    assert [each.period for each in _graph(close, _metric(averaged, annotations=limit)).thresholds] == [None]
    assert [each.period for each in _graph(_contents(), _metric(summed, annotations=limit)).thresholds] == [None]


@pytest.mark.parametrize(
    ("metrics", "note"),
    [
        ([["Ours", "Hits"]], "No data"),
        ([["AWS/ApiGateway", "Count"]], "No data"),
        ([["AWS/Lambda", "Duration", "FunctionName", "f"]], "No data"),
        ([["AWS/Lambda", "ConcurrentExecutions", "FunctionName", "f"]], "AWS only; not available locally"),
        (
            [[{"expression": "FILL(a,0)+FILL(b,0)"}]]
            + [["AWS/SQS", name, {"id": name, "visible": False}] for name in ("a", "b")],
            "AWS only; not available locally",
        ),
        ([["AWS/SQS", "Messages"], ["Ours", "Hits"]], "No data"),
    ],
    ids=["ours", "gateway", "durations", "concurrency", "computed", "both"],
)
def test_an_empty_graph_says_whether_waiting_helps(metrics: list[Any], note: str) -> None:
    assert _graph(_contents(), _metric(*metrics)).note == note


def test_each_line_says_whether_only_aws_has_it() -> None:
    computed = [[{"expression": f"FILL({name},0)", "label": name}] for name in ("ours", "theirs")]
    read = [
        ["Ours", "Hits", {"id": "ours", "visible": False}],
        ["AWS/KMS", "Calls", {"id": "theirs", "visible": False}],
    ]
    made = _graph(_contents(), _metric(*computed, *read))
    assert [(line.label, line.aws_only) for line in made.lines] == [("ours", False), ("theirs", True)]
    assert made.note == ""


def test_numbers_are_of_the_latest_period_which_ends_now() -> None:
    store = MetricStore()
    for age in (1, 299, 301):
        store.put("Ours", "Hits", {}, 1, at=NOW - age)
    made = _contents(store, longest_period=60).widget(_metric(["Ours", "Hits", {"stat": "Sum"}], view="singleValue"))
    assert isinstance(made, Numbers)
    (line,) = made.lines
    assert (made.period, made.latest, line.aws_only) == (300, [2], False)
    assert sum(value for value in line.values if value is not None) == 3


def test_a_gauge_says_its_unit_and_the_colour_of_both_sides_of_its_target() -> None:
    sides = [{"value": 80, "label": word, "color": colour, "fill": fill} for word, colour, fill in SIDES]
    axis = {"left": {"min": 0, "max": 100, "label": "%"}}
    hits = ["Ours", "Hits", {"stat": "Sum"}]
    made = _contents(longest_period=60).widget(
        _metric(hits, view="gauge", yAxis=axis, annotations={"horizontal": sides})
    )
    assert isinstance(made, Numbers)
    assert (made.unit, made.period) == ("%", 300)
    assert [(each.label, each.colour, each.fill, each.period) for each in made.thresholds] == [
        (*side, None) for side in SIDES
    ]


def test_a_log_widget_is_a_table_of_its_own_log_groups() -> None:
    query = "SOURCE '/aws/lambda/setup' | fields @timestamp, reason\n| limit 5"
    made = _contents().widget(_widget("log", {"title": "Failures", "query": query}))
    assert isinstance(made, LogTable)
    assert (made.groups, made.query) == (["/aws/lambda/setup"], "fields @timestamp, reason\n| limit 5")
    assert made.columns == ["time", "reason"]
    assert made.note == ""
    elsewhere = _contents().widget(_widget("log", {"query": "SOURCE '/aws/other' | fields @timestamp"}))
    assert isinstance(elsewhere, LogTable)
    assert elsewhere.note == AWS_ONLY
    assert made.rows == [["1970-01-01T02:46:35Z", "expired"]]


def test_text_and_alarms() -> None:
    text = _contents().widget(_widget("text", {"markdown": "# Title"}))
    assert isinstance(text, Text)
    assert text.blocks == [Block("h1", [Span("Title")])]
    arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:mfa-local-page"
    tiles = _contents().widget(_widget("alarm", {"title": "These page", "alarms": [arn]}))
    assert isinstance(tiles, AlarmTiles)
    assert (tiles.alarms, tiles.states) == (["mfa-local-page"], [])


@pytest.mark.parametrize(
    ("widget", "reason"),
    [
        (_widget("explorer", {}), "type 'explorer'"),
        (_metric(["Ours", "Hits"], view="pie"), "view 'pie'"),
        (_widget("text", {}), "KeyError"),
        (_metric([{"expression": "FANCY(m)"}]), "cannot be drawn"),
        ({"type": "metric"}, ""),
    ],
)
def test_what_can_not_be_drawn_is_there_with_the_reason(widget: dict[str, Any], reason: str) -> None:
    made = _contents().widget(widget)
    assert isinstance(made, Unknown if reason else Graph)
    assert reason in getattr(made, "reason", "")


# -- words -------------------------------------------------------------------------------------------------------------


def test_the_words_of_a_widget_come_in_blocks_and_never_as_markup() -> None:
    found = blocks(
        "## Is it **on**?\n\nThe [runbook](docs/runbook.md#page), `now`.\n\n- <script>one</script>\n\n```\ncode\n```"
    )
    assert found[0] == Block("h2", [Span("Is it "), Span("on", "strong"), Span("?")])
    assert found[1].spans[1:] == [
        Span("runbook", "link", "/docs/runbook#page"),
        Span(", "),
        Span("now", "code"),
        Span("."),
    ]
    assert (found[2].tag, "".join(span.text for span in found[2].spans)) == ("li", "<script>one</script>")
    assert found[3] == Block("pre", [Span("code")])


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("docs/runbook.md#page", "/docs/runbook#page"),
        ("api.md", "/docs/api"),
        ("#page", "#page"),
        ("https://example.com/x", "https://example.com/x"),
        ("docs/missing.md", None),
        ("../README.md", None),
        ("javascript:alert(1)", None),
        ("//evil.example", None),
    ],
)
def test_a_link_leads_to_what_is_served_here_or_nowhere(target: str, where: str | None) -> None:
    assert address(target) == where


def test_a_link_to_nowhere_is_words() -> None:
    assert blocks("[x](docs/missing.md)") == [Block("p", [Span("x")])]


# -- logs --------------------------------------------------------------------------------------------------------------


class Logs:
    """One log group, and the times since which its events were asked for."""

    def __init__(self, *events: tuple[float, str]) -> None:
        self.events = list(events)
        self.since: list[float] = []

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, operation))

    def describe_log_groups(self, **_: str) -> list[dict[str, Any]]:
        return [{"logGroups": [{"logGroupName": "/aws/lambda/f"}]}]

    def filter_log_events(self, *, startTime: int, **_: str) -> list[dict[str, Any]]:  # noqa: N803 -- boto3's name
        self.since.append(startTime / 1000)
        found = [{"timestamp": int(at * 1000), "message": text} for at, text in self.events if at * 1000 >= startTime]
        return [{"events": [each]} for each in found]


def test_a_tail_reads_on_where_it_ended_and_takes_what_came_late_once() -> None:
    logs = Logs((NOW - 40, "a"), (NOW - 5, "c"))
    tail = LogTail(logs)
    assert [message for *_, message in tail.events(NOW)] == ["a", "c"]
    logs.events.append((NOW - 10, "b"))
    assert [message for *_, message in tail.events(NOW + 5)] == ["a", "b", "c"]
    first, second = logs.since
    assert second - first > 3600


def test_a_tail_forgets_what_is_older_than_the_longest_time_shown_and_more_than_it_may_keep() -> None:
    tail = LogTail(Logs((NOW, "a"), (NOW + 1, "b"), (NOW + 2, "c")), most=2)
    assert [message for *_, message in tail.events(NOW + 3)] == ["b", "c"]
    assert [message for *_, message in tail.events(NOW + 3 * 3600 + 1.5)] == ["c"]


def test_a_look_that_fails_once_is_taken_again() -> None:
    replies = [(500, b'{"__type": "InternalError"}'), (200, b'{"logGroups": []}')]

    def reply(request: AWSRequest, **_: Any) -> AWSResponse:
        status, content = replies.pop(0)
        return AWSResponse(request.url, status, {}, HTTPResponse(BytesIO(content), preload_content=False))

    logs = session(Credentials("key", "secret"), REGION).client("logs", config=CONFIG)
    logs.meta.events.register("before-send", reply)
    assert LogTail(logs).events(NOW) == []
    assert replies == []
