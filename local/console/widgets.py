"""The widgets of a dashboard body with their contents, ready for a browser to draw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from local.cloudwatch import logs_insights
from local.cloudwatch.availability import AWS_ONLY
from local.cloudwatch.dashboard_body import GRID_COLUMNS
from local.cloudwatch.graph_lines import Line, lines
from local.cloudwatch.logs_insights import LogEvent, log_query
from local.cloudwatch.metric_statistics import Metrics, Window
from local.console.documents import Block, blocks

#: CloudWatch's period of a widget that names none, seconds.
_DEFAULT_PERIOD: Final = 300
#: Statistics that grow with the period, as the thresholds on them do; ``None`` is an expression.
_GROWING: Final = {"Sum", "SampleCount", None}
_FUNCTION_LOGS: Final = "/aws/lambda/"
_OF_THE_LATEST_PERIOD: Final = {"singleValue", "gauge"}
_COLUMNS: Final = {"@timestamp": "time", "exception.0.type": "exception", "source_ip": "source address"}
_NO_DATA: Final = "No data"


@dataclass(frozen=True, kw_only=True)
class TimeSpan:
    """A choice of the time that graphs show.

    Attributes
    ----------
    label : str
        For users.
    seconds : int
        Its length.
    longest_period : int or None
        The longest period in seconds, if the body has a longer one; ``None`` keeps the body's.
    """

    label: str
    seconds: int
    longest_period: int | None = None

    def window(self, properties: Mapping[str, Any], now: float) -> Window:
        """Return the periods of a graph until now. They begin at multiples of their length, as CloudWatch's do."""
        own = period_of(properties)
        period = own if self.longest_period is None else min(own, self.longest_period)
        return Window(end=(now // period + 1) * period, period=period, length=max(1, self.seconds // period))


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a widget is on the grid, in columns and rows."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Widget:
    """What all widgets have."""

    position: Position
    title: str


@dataclass(frozen=True, kw_only=True)
class Text(Widget):
    """Formatted text."""

    blocks: list[Block]
    kind: Literal["text"] = "text"


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A horizontal annotation.

    Attributes
    ----------
    period : int or None
        Seconds that the value counts over, if the graph's periods are shorter: it is written, not drawn.
    colour : str or None
        The colour of a gauge on the side of the value that ``fill`` names: ``above``, which includes the value, or
        ``below``.
    """

    label: str
    value: float
    right: bool
    period: int | None
    colour: str | None
    fill: str | None


@dataclass(frozen=True, kw_only=True)
class Graph(Widget):
    """Lines over time.

    Attributes
    ----------
    start : float
        Start of the first period, epoch seconds; each is ``period`` seconds long.
    note : str
        Why the graph is empty, if it is.
    """

    unit: str
    stacked: bool
    period: int
    start: float
    lines: list[Line]
    thresholds: list[Threshold]
    note: str
    kind: Literal["graph"] = "graph"


@dataclass(frozen=True, kw_only=True)
class Numbers(Widget):
    """Large numbers: those of a number widget, or the one of a gauge.

    Attributes
    ----------
    unit : str
        Of a gauge; the label of a number says its unit.
    period : int
        Seconds that each number covers, until now.
    lines : list of Line
        The numbers at earlier times.
    latest : list of float or None
        The numbers, one per line.
    """

    period: int
    unit: str
    lines: list[Line]
    latest: list[float | None]
    thresholds: list[Threshold]
    kind: Literal["numbers"] = "numbers"


@dataclass(frozen=True, kw_only=True)
class AlarmTiles(Widget):
    """The states of these alarms, by name; only of those in one of ``states``, if it names any."""

    alarms: list[str]
    states: list[str]
    kind: Literal["alarms"] = "alarms"


@dataclass(frozen=True, kw_only=True)
class LogTable(Widget):
    """A query of the logs with its result; times are UTC in ISO 8601.

    Attributes
    ----------
    note : str
        Why the table is empty, if that is known.
    """

    groups: list[str]
    query: str
    columns: list[str]
    rows: list[list[str]]
    note: str
    kind: Literal["log"] = "log"


@dataclass(frozen=True, kw_only=True)
class Unknown(Widget):
    """A widget that is not drawn, with the reason."""

    reason: str
    kind: Literal["unknown"] = "unknown"


def period_of(properties: Mapping[str, Any]) -> int:
    """Return the period of a metric widget: its own, or the longest that one of its metrics names."""
    named = [metric[-1].get("period") for metric in properties.get("metrics", []) if isinstance(metric[-1], dict)]
    own = properties.get("period", _DEFAULT_PERIOD)
    return max([int(own), *(int(each) for each in named if each)])


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Fills widgets.

    Attributes
    ----------
    now : float
        End of the time shown, epoch seconds.
    span : TimeSpan
        The time shown.
    metrics : Metrics
        Datapoints.
    events : sequence of LogEvent
        The log events of that time.
    """

    now: float
    span: TimeSpan
    metrics: Metrics
    events: Sequence[LogEvent] = field(default_factory=list)

    def windows(self, properties: Mapping[str, Any]) -> list[Window]:
        """Return the times that a metric widget reads: that of its graph, and that of its numbers."""
        graph = self.span.window(properties, self.now)
        if properties.get("view") not in _OF_THE_LATEST_PERIOD:
            return [graph]
        # The latest period ends now, so that a number covers a whole period and not one that has just begun.
        return [graph, Window(end=self.now, period=period_of(properties), length=1)]

    def widget(self, widget: Mapping[str, Any]) -> Widget:
        """Return a widget of a body with its contents; one that cannot be drawn is `Unknown`, never left out."""
        properties = widget.get("properties") or {}
        common = {"position": _position(widget), "title": properties.get("title", "")}
        try:
            match widget.get("type"), properties.get("view", "timeSeries"):
                case "text", _:
                    return Text(**common, blocks=blocks(properties["markdown"]))
                case "alarm", _:
                    names = [arn.rpartition(":")[2] for arn in properties["alarms"]]
                    return AlarmTiles(**common, alarms=names, states=properties.get("states", []))
                case "log", _:
                    return self._log(properties, common)
                case "metric", "timeSeries":
                    return self._graph(properties, common)
                case "metric", "singleValue" | "gauge":
                    return self._numbers(properties, common)
                case "metric", view:
                    reason = f"Metric widgets of the view {view!r} are not drawn here."
                case kind, _:
                    reason = f"Widgets of the type {kind!r} are not drawn here."
        except (KeyError, TypeError, ValueError) as error:
            reason = f"It cannot be drawn: {type(error).__name__}: {error}"
        return Unknown(**common, reason=reason)

    def _graph(self, properties: Mapping[str, Any], common: Mapping[str, Any]) -> Graph:
        (window,) = self.windows(properties)
        drawn = lines(properties, self.metrics, window)
        return Graph(
            **common,
            unit=_unit(properties),
            stacked=bool(properties.get("stacked")),
            period=window.period,
            start=window.start,
            lines=drawn,
            thresholds=_thresholds(properties, drawn, window),
            note=_note(drawn),
        )

    def _numbers(self, properties: Mapping[str, Any], common: Mapping[str, Any]) -> Numbers:
        graph, latest = self.windows(properties)
        now = lines(properties, self.metrics, latest)
        return Numbers(
            **common,
            period=latest.period,
            unit=_unit(properties),
            lines=lines(properties, self.metrics, graph),
            latest=[each.values[0] for each in now],
            thresholds=_thresholds(properties, now, latest),
        )

    def _log(self, properties: Mapping[str, Any], common: Mapping[str, Any]) -> LogTable:
        groups, query = log_query(properties["query"])
        rows = logs_insights.run(properties["query"], self.events)
        names = list(dict.fromkeys(name for row in rows for name in row))
        cells = [[_cell(name, row.get(name)) for name in names] for row in rows]
        columns = [_COLUMNS.get(name, name.replace("_", " ")) for name in names]
        note = "" if any(group.startswith(_FUNCTION_LOGS) for group in groups) else AWS_ONLY
        return LogTable(**common, groups=groups, query=query, columns=columns, rows=cells, note=note)


def _position(widget: Mapping[str, Any]) -> Position:
    # CloudWatch's own defaults: six by six, wherever there is room.
    sizes = {"x": 0, "y": 0, "width": 6, "height": 6}
    x, y, width, height = (int(widget.get(key, default)) for key, default in sizes.items())
    return Position(x=min(x, GRID_COLUMNS - 1), y=y, width=min(width, GRID_COLUMNS - x), height=height)


def _thresholds(properties: Mapping[str, Any], drawn: Iterable[Line], window: Window) -> list[Threshold]:
    own = period_of(properties)
    grows = any(line.statistic in _GROWING for line in drawn)
    return [
        Threshold(
            label=each.get("label", ""),
            value=float(each["value"]),
            right=each.get("yAxis") == "right",
            period=own if grows and own != window.period else None,
            colour=each.get("color"),
            fill=each.get("fill"),
        )
        for each in properties.get("annotations", {}).get("horizontal", [])
        if isinstance(each, dict) and each.get("visible", True)
    ]


def _unit(properties: Mapping[str, Any]) -> str:
    unit: str = properties.get("yAxis", {}).get("left", {}).get("label", "")
    return unit


def _note(drawn: Iterable[Line]) -> str:
    if not all(line.empty for line in drawn):
        return ""
    return AWS_ONLY if all(line.aws_only for line in drawn) else _NO_DATA


def _cell(name: str, value: object) -> str:
    if name == "@timestamp" and isinstance(value, float):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value).removeprefix(_FUNCTION_LOGS)
