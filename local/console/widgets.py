"""The widgets of a dashboard body with what they show, ready to be drawn by a browser."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from local.cloudwatch.dashboard_body import GRID_COLUMNS
from local.cloudwatch.graph_lines import (
    Curve,
    LogEvent,
    Metrics,
    Window,
    curves,
    log_query,
    log_rows,
)
from local.console.documents import Block, blocks

#: CloudWatch's period of a widget that names none, seconds.
_DEFAULT_PERIOD: Final = 300
#: Statistics that grow with the period, as the thresholds on them do.
_ADDITIVE: Final = {"Sum", "SampleCount", None}
_FUNCTION_LOGS: Final = "/aws/lambda/"
_NO_DATA: Final = "no data"
_ONLY_ON_AWS: Final = "AWS publishes this, the embedded one does not"
_OF_AWS: Final = "AWS/"
#: Of AWS's own metrics, those that are there on one machine too: the gateway counts, and the logs tell the durations.
_PUBLISHED_HERE: Final = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Lambda": {"Invocations", "Duration"},
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a widget is on the grid, in columns and rows."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a graph: a value or nothing for each period.

    Attributes
    ----------
    additive : bool
        Whether a longer period means a larger value, so that a total over the time shown means something.
    only_on_aws : bool
        Whether nothing on this machine publishes what it is made of.
    """

    label: str
    colour: str
    additive: bool
    only_on_aws: bool
    right: bool
    values: list[float | None]


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A horizontal annotation.

    Attributes
    ----------
    period : int or None
        Seconds that the value counts over, where the graph's periods have another length: it is told, not drawn.
    """

    label: str
    value: float
    colour: str | None
    right: bool
    period: int | None


@dataclass(frozen=True, kw_only=True)
class Text:
    """Words."""

    place: Place
    blocks: list[Block]
    kind: Literal["text"] = "text"


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Lines over time.

    Attributes
    ----------
    start : float
        Of the first period, epoch seconds; each is ``period`` seconds long.
    note : str
        Why there is nothing to see, where there is nothing.
    """

    place: Place
    title: str
    unit: str
    unit_right: str
    stacked: bool
    period: int
    start: float
    lines: list[Line]
    thresholds: list[Threshold]
    note: str
    kind: Literal["graph"] = "graph"


@dataclass(frozen=True, kw_only=True)
class Number:
    """The latest value of a line, with what it was before; ``only_on_aws`` as of a line."""

    label: str
    colour: str
    only_on_aws: bool
    value: float | None
    history: list[float | None]


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The latest values, large; ``period`` is the time they are of, seconds."""

    place: Place
    title: str
    period: int
    numbers: list[Number]
    kind: Literal["numbers"] = "numbers"


@dataclass(frozen=True, kw_only=True)
class AlarmTiles:
    """The states of these alarms, by name."""

    place: Place
    title: str
    alarms: list[str]
    kind: Literal["alarms"] = "alarms"


@dataclass(frozen=True, kw_only=True)
class LogTable:
    """A query of the logs with its answer; times are UTC in ISO 8601."""

    place: Place
    title: str
    groups: list[str]
    query: str
    columns: list[str]
    rows: list[list[str]]
    kind: Literal["log"] = "log"


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A widget that is not drawn, with the reason."""

    place: Place
    title: str
    reason: str
    kind: Literal["unknown"] = "unknown"


type Widget = Text | Graph | Numbers | AlarmTiles | LogTable | Unknown


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The time that graphs show.

    Attributes
    ----------
    now : float
        Its end, epoch seconds.
    seconds : int
        Its length.
    finest : int or None
        The longest period, seconds, whatever the body says; ``None`` for the body's own.
    """

    now: float
    seconds: int
    finest: int | None = None

    def window(self, properties: Mapping[str, Any]) -> Window:
        """Return the periods of a graph. They begin at multiples of their length, as CloudWatch's do."""
        own = period_of(properties)
        period = own if self.finest is None else min(own, self.finest)
        return Window(end=(self.now // period + 1) * period, period=period, length=max(1, self.seconds // period))


def period_of(properties: Mapping[str, Any]) -> int:
    """Return the period of a metric widget: its own, or the longest that one of its metrics names."""
    named = [metric[-1].get("period") for metric in properties.get("metrics", []) if isinstance(metric[-1], dict)]
    own = properties.get("period", _DEFAULT_PERIOD)
    return max([int(own), *(int(each) for each in named if each)])


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What widgets are filled from.

    Attributes
    ----------
    scale : Scale
        The time shown.
    metrics : Metrics
        Datapoints.
    events : sequence of LogEvent
        What was logged in that time.
    """

    scale: Scale
    metrics: Metrics
    events: Sequence[LogEvent] = field(default_factory=list)

    def windows(self, properties: Mapping[str, Any]) -> list[Window]:
        """Return the times that a metric widget reads: that of its graph, and that of its numbers."""
        graph = self.scale.window(properties)
        if properties.get("view") != "singleValue":
            return [graph]
        # The latest period ends now, so that a number is of all its time and not of a period that has just begun.
        return [graph, Window(end=self.scale.now, period=period_of(properties), length=1)]

    def widget(self, widget: Mapping[str, Any]) -> Widget:
        """Return a widget of a body with what it shows; what can not be drawn is `Unknown`, never left out."""
        properties = widget.get("properties") or {}
        place = _place(widget)
        title = properties.get("title", "")
        try:
            match widget.get("type"), properties.get("view", "timeSeries"):
                case "text", _:
                    return Text(place=place, blocks=blocks(properties["markdown"]))
                case "alarm", _:
                    names = [arn.rpartition(":")[2] for arn in properties["alarms"]]
                    return AlarmTiles(place=place, title=title, alarms=names)
                case "log", _:
                    return self._log(place, title, properties)
                case "metric", "timeSeries":
                    return self._graph(place, title, properties)
                case "metric", "singleValue":
                    return self._numbers(place, title, properties)
                case "metric", view:
                    reason = f"A metric widget of the view {view!r}, which is not drawn here."
                case kind, _:
                    reason = f"A widget of the type {kind!r}, which is not drawn here."
        except (KeyError, TypeError, ValueError) as error:
            reason = f"It can not be drawn: {type(error).__name__}: {error}"
        return Unknown(place=place, title=title, reason=reason)

    def _graph(self, place: Place, title: str, properties: Mapping[str, Any]) -> Graph:
        (window,) = self.windows(properties)
        drawn = curves(properties, self.metrics, window)
        axes = properties.get("yAxis", {})
        return Graph(
            place=place,
            title=title,
            unit=axes.get("left", {}).get("label", ""),
            unit_right=axes.get("right", {}).get("label", ""),
            stacked=bool(properties.get("stacked")),
            period=window.period,
            start=window.start,
            lines=[_line(each) for each in drawn],
            thresholds=_thresholds(properties, drawn, window),
            note=_note(drawn),
        )

    def _numbers(self, place: Place, title: str, properties: Mapping[str, Any]) -> Numbers:
        graph, latest = self.windows(properties)
        pairs = zip(curves(properties, self.metrics, latest), curves(properties, self.metrics, graph), strict=True)
        return Numbers(
            place=place,
            title=title,
            period=latest.period,
            numbers=[
                Number(
                    label=now.label,
                    colour=now.colour,
                    only_on_aws=_only_on_aws(now),
                    value=now.values[0],
                    history=before.values,
                )
                for now, before in pairs
            ],
        )

    def _log(self, place: Place, title: str, properties: Mapping[str, Any]) -> LogTable:
        groups, query = log_query(properties["query"])
        rows = log_rows(properties["query"], self.events)
        columns = list(dict.fromkeys(name for row in rows for name in row))
        return LogTable(
            place=place,
            title=title,
            groups=groups,
            query=query,
            columns=columns,
            rows=[[_cell(name, row.get(name)) for name in columns] for row in rows],
        )


def _place(widget: Mapping[str, Any]) -> Place:
    # CloudWatch's own defaults: six by six, wherever there is room.
    sizes = {"x": 0, "y": 0, "width": 6, "height": 6}
    x, y, width, height = (int(widget.get(key, default)) for key, default in sizes.items())
    return Place(x=min(x, GRID_COLUMNS - 1), y=y, width=min(width, GRID_COLUMNS - x), height=height)


def _line(curve: Curve) -> Line:
    return Line(
        label=curve.label,
        colour=curve.colour,
        additive=curve.statistic in {"Sum", "SampleCount"},
        only_on_aws=_only_on_aws(curve),
        right=curve.right,
        values=curve.values,
    )


def _thresholds(properties: Mapping[str, Any], drawn: Iterable[Curve], window: Window) -> list[Threshold]:
    own = period_of(properties)
    grows = any(curve.statistic in _ADDITIVE for curve in drawn)
    return [
        Threshold(
            label=each.get("label", ""),
            value=float(each["value"]),
            colour=each.get("color"),
            right=each.get("yAxis") == "right",
            period=own if grows and own != window.period else None,
        )
        for each in properties.get("annotations", {}).get("horizontal", [])
        if isinstance(each, dict) and each.get("visible", True)
    ]


def _only_on_aws(curve: Curve) -> bool:
    return bool(curve.read) and all(
        each.namespace.startswith(_OF_AWS) and each.name not in _PUBLISHED_HERE.get(each.namespace, ())
        for each in curve.read
    )


def _note(drawn: Iterable[Curve]) -> str:
    if not all(curve.empty for curve in drawn):
        return ""
    return _ONLY_ON_AWS if all(_only_on_aws(curve) for curve in drawn) else _NO_DATA


def _cell(name: str, value: object) -> str:
    if name == "@timestamp" and isinstance(value, float):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value).removeprefix(_FUNCTION_LOGS)
