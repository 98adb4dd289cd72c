"""What the widgets of a dashboard body show, whatever they are drawn with."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from local.cloudwatch import logs_insights
from local.cloudwatch.dashboard_body import expand_metrics
from local.cloudwatch.metric_math import evaluate

#: CloudWatch's own cycle is of ten; these are told apart in print and by the colour-blind.
CYCLE: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8b5fbf", "#7f7f7f")

#: Time in seconds, log group, message.
type LogEvent = tuple[float, str, str]

_SOURCE: Final = re.compile(r"SOURCE '([^']+)' \| ")
_NAME: Final = re.compile(r"[a-z]\w*")
_DEFAULT_STATISTIC: Final = "Average"
_OF_AWS: Final = "AWS/"


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time that a picture shows: ``length`` periods before ``end``, seconds."""

    end: float
    period: int
    length: int

    @property
    def start(self) -> float:
        """Start of the first period."""
        return self.end - self.period * self.length

    @property
    def times(self) -> list[float]:
        """Start of each period."""
        return [self.start + self.period * index for index in range(self.length)]

    @property
    def whole(self) -> "Window":
        """The same time as one period."""
        return Window(end=self.end, period=self.period * self.length, length=1)


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """One statistic of one metric; ``dimensions`` are sorted pairs of name and value."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


class Metrics(Protocol):
    """Statistics of metrics, period by period, as `MetricStore` gives them."""

    def series(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        statistic: str,
        *,
        end: float,
        period: int,
        length: int,
    ) -> list[float | None]:
        """Return a statistic of the last ``length`` periods before ``end``; ``None`` without a value."""
        ...


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of a graph, or one number.

    Attributes
    ----------
    label, colour : str
        Of the body, or else those that CloudWatch would choose.
    statistic : str or None
        What its values are; ``None`` for the result of an expression over several statistics.
    read : frozenset of Statistic
        What its values are made of.
    right : bool
        Whether it is measured on the right axis.
    values : list of float or None
        One a period, ``None`` without a datapoint.
    """

    label: str
    colour: str
    statistic: str | None
    read: frozenset[Statistic]
    right: bool
    values: list[float | None]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(value is None for value in self.values)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A widget's metric or expression: one of ``read`` and ``expression`` is there."""

    options: Mapping[str, Any]
    read: Statistic | None = None
    expression: str | None = None


def statistics_shown(properties: Mapping[str, Any]) -> set[Statistic]:
    """Return what has to be read to draw a metric widget."""
    return {entry.read for entry in _entries(properties) if entry.read is not None}


def curves(properties: Mapping[str, Any], metrics: Metrics, window: Window) -> list[Curve]:
    """Return what a metric widget draws, expressions computed, hidden metrics left out.

    An expression all of whose metrics are published by AWS, and none of which has a datapoint, has none either: where
    AWS's part is not played, a filled-in zero would claim to know.

    Raises
    ------
    MetricMathError
        If an expression can not be read.
    """
    entries = list(_entries(properties))
    read: dict[str, list[float | None]] = {}
    silent: set[str] = set()
    values: dict[int, list[float | None]] = {}
    for index, entry in enumerate(entries):
        if (wanted := entry.read) is None:
            continue
        values[index] = metrics.series(
            wanted.namespace,
            wanted.name,
            dict(wanted.dimensions),
            wanted.statistic,
            end=window.end,
            period=window.period,
            length=window.length,
        )
        if identifier := entry.options.get("id"):
            read[identifier] = values[index]
            if wanted.namespace.startswith(_OF_AWS) and all(value is None for value in values[index]):
                silent.add(identifier)
    for index, entry in enumerate(entries):
        if entry.expression is not None:
            used = read.keys() & set(_NAME.findall(entry.expression))
            unknown = bool(used) and used <= silent
            values[index] = [None] * window.length if unknown else evaluate(entry.expression, read, window.length)
    shown = [(entry, values[index]) for index, entry in enumerate(entries) if entry.options.get("visible", True)]
    return [
        Curve(
            label=entry.options.get("label") or _name_of(entry),
            colour=entry.options.get("color", CYCLE[index % len(CYCLE)]),
            statistic=_statistic_of(entry, entries),
            read=_read_by(entry, entries),
            right=entry.options.get("yAxis") == "right",
            values=each,
        )
        for index, (entry, each) in enumerate(shown)
    ]


def log_rows(query: str, events: Iterable[LogEvent]) -> list[logs_insights.Row]:
    """Answer the query of a log widget, which names its log groups itself.

    Raises
    ------
    LogsInsightsError
        If it can not be read.
    """
    sources, commands = log_query(query)
    return logs_insights.run(commands, [event for event in events if event[1] in sources])


def log_query(query: str) -> tuple[list[str], str]:
    """Split the query of a log widget into its log groups and its commands."""
    return _SOURCE.findall(query), _SOURCE.sub("", query)


def _entries(properties: Mapping[str, Any]) -> Iterator[_Entry]:
    for metric in expand_metrics(properties.get("metrics", [])):
        options: dict[str, Any] = metric[-1] if isinstance(metric[-1], dict) else {}
        if "expression" in options:
            yield _Entry(options=options, expression=options["expression"])
            continue
        namespace, name, *pairs = (part for part in metric if isinstance(part, str))
        yield _Entry(
            options=options,
            read=Statistic(
                namespace=namespace,
                name=name,
                dimensions=tuple(sorted(zip(pairs[::2], pairs[1::2], strict=True))),
                statistic=options.get("stat", properties.get("stat", _DEFAULT_STATISTIC)),
            ),
        )


def _name_of(entry: _Entry) -> str:
    return entry.read.name if entry.read is not None else entry.expression or ""


def _read_by(entry: _Entry, entries: Sequence[_Entry]) -> frozenset[Statistic]:
    """Return the statistics that a line is made of: one, or those that its expression names."""
    if entry.read is not None:
        return frozenset({entry.read})
    named = _NAME.findall(entry.expression or "")
    return frozenset(each.read for each in entries if each.read is not None and each.options.get("id") in named)


def _statistic_of(entry: _Entry, entries: Sequence[_Entry]) -> str | None:
    """Return what a line's values are; a metric whose gaps are filled stays what it was."""
    if entry.read is not None:
        return entry.read.statistic
    filled = re.fullmatch(r"FILL\((\w+),\s*0\)", entry.expression or "")
    if filled is None:
        return None
    return next((each.read.statistic for each in entries if each.read and each.options.get("id") == filled[1]), None)
