"""The lines of a dashboard's graphs, with their values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.cloudwatch.availability import available_locally
from local.cloudwatch.dashboard_body import expand_metrics
from local.cloudwatch.metric_math import evaluate
from local.cloudwatch.metric_statistics import Metrics, Statistic, Window

#: For lines without a colour in the body. CloudWatch's own cycle has ten; the colour-blind can distinguish these.
CYCLE: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8b5fbf", "#7f7f7f")

_NAME: Final = re.compile(r"[a-z]\w*")
_DEFAULT_STATISTIC: Final = "Average"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a graph, or one number.

    Attributes
    ----------
    label, colour : str
        Those in the body, or else those that CloudWatch would choose.
    statistic : str or None
        What its values are; ``None`` for an expression over several statistics.
    aws_only : bool
        Whether the local stack has none of the metrics that it is computed from.
    right : bool
        Whether it is measured on the right axis.
    values : list of float or None
        One per period, ``None`` without a datapoint.
    """

    label: str
    colour: str
    statistic: str | None
    aws_only: bool
    right: bool
    values: list[float | None]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(value is None for value in self.values)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A metric or an expression of a widget; ``read`` has the one statistic, or those that the expression names."""

    options: Mapping[str, Any]
    name: str
    read: Mapping[str, Statistic]
    expression: str | None = None


def statistics_shown(properties: Mapping[str, Any]) -> set[Statistic]:
    """Return the statistics that a metric widget reads."""
    return {statistic for entry in _entries(properties) for statistic in entry.read.values()}


def lines(properties: Mapping[str, Any], metrics: Metrics, window: Window) -> list[Line]:
    """Return the lines of a metric widget, with expressions computed and without hidden metrics.

    Raises
    ------
    MetricMathError
        If an expression cannot be read.
    """
    shown = [entry for entry in _entries(properties) if entry.options.get("visible", True)]
    return [
        Line(
            label=entry.options.get("label") or entry.name,
            colour=entry.options.get("color", CYCLE[index % len(CYCLE)]),
            statistic=_statistic(entry),
            aws_only=_aws_only(entry),
            right=entry.options.get("yAxis") == "right",
            values=_values(entry, metrics, window),
        )
        for index, entry in enumerate(shown)
    ]


def _entries(properties: Mapping[str, Any]) -> Iterator[_Entry]:
    metrics = [
        (metric, metric[-1] if isinstance(metric[-1], dict) else {})
        for metric in expand_metrics(properties.get("metrics", []))
    ]
    named = {
        options["id"]: _read(metric, options, properties)
        for metric, options in metrics
        if "id" in options and "expression" not in options
    }
    for metric, options in metrics:
        if (expression := options.get("expression")) is None:
            yield _Entry(options=options, name=metric[1], read={"": _read(metric, options, properties)})
        else:
            names = named if "METRICS" in expression else named.keys() & set(_NAME.findall(expression))
            read = {name: named[name] for name in names}
            yield _Entry(options=options, name=expression, read=read, expression=expression)


def _read(metric: Sequence[Any], options: Mapping[str, Any], properties: Mapping[str, Any]) -> Statistic:
    namespace, name, *pairs = (part for part in metric if isinstance(part, str))
    dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Statistic.of(namespace, name, dimensions, options.get("stat", properties.get("stat", _DEFAULT_STATISTIC)))


def _values(entry: _Entry, metrics: Metrics, window: Window) -> list[float | None]:
    read = {name: metrics.series(each, window) for name, each in entry.read.items()}
    if entry.expression is None:
        return read[""]
    # A filled-in zero would be made up where the local stack has none of the metrics.
    if _aws_only(entry) and all(value is None for values in read.values() for value in values):
        return [None] * window.length
    return evaluate(entry.expression, read, window.starts)


def _aws_only(entry: _Entry) -> bool:
    read = entry.read.values()
    return bool(read) and not any(available_locally(each.namespace, each.name) for each in read)


def _statistic(entry: _Entry) -> str | None:
    """Return what a line's values are; filling the gaps of a metric does not change that."""
    if entry.expression is None or re.fullmatch(r"FILL\(\w+,\s*0\)", entry.expression):
        return next((each.statistic for each in entry.read.values()), None)
    return None
