"""Draws a dashboard body as CloudWatch lays it out: 24 columns, cards, lines, tiles."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator

from local.cloudwatch.dashboard_body import GRID_COLUMNS, expand_metrics
from local.cloudwatch.preview.contents import Curve, LogEvent, Metrics, Window, curves, log_rows

COLUMN_INCHES: Final = 0.70
ROW_INCHES: Final = 0.42
MARGIN_INCHES: Final = 0.07
DPI: Final = 110

_PAPER, _CARD, _EDGE, _INK, _FAINT, _ALARM = "#f2f3f5", "#ffffff", "#d9dde3", "#16191f", "#6b7480", "#c8102e"
_BLEAK: Final = "#a9b0b9"
_STATES: Final = {"OK": ("#e3f4ec", "#0b7a4b"), "ALARM": (_ALARM, "#ffffff")}
_UNKNOWN_STATE: Final = ("#eceef1", _FAINT)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is drawn.

    Attributes
    ----------
    body : mapping
        A dashboard body.
    metrics : Metrics
        Its datapoints.
    states : mapping of str to str
        State of each alarm, by name.
    events : sequence of LogEvent
        What its tables ask.
    window : Window
        The time shown. Its periods stand in for the body's own, as a local run lasts minutes.
    """

    body: Mapping[str, Any]
    metrics: Metrics
    states: Mapping[str, str]
    events: Sequence[LogEvent]
    window: Window

    def save(self, path: Path) -> None:
        """Draw it into a PNG, the same bytes for the same input."""
        with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 7.5, "axes.unicode_minus": False}):
            figure = self._figure()
            figure.savefig(path, dpi=DPI, facecolor=_PAPER, metadata={"Software": None})

    def _figure(self) -> Figure:
        widgets = self.body["widgets"]
        rows = max(widget["y"] + widget["height"] for widget in widgets)
        width, height = GRID_COLUMNS * COLUMN_INCHES, rows * ROW_INCHES
        figure = Figure(figsize=(width, height))
        for widget in widgets:
            left, bottom = widget["x"] * COLUMN_INCHES, height - (widget["y"] + widget["height"]) * ROW_INCHES
            card = _Card(figure, left, bottom, widget["width"] * COLUMN_INCHES, widget["height"] * ROW_INCHES)
            properties = widget["properties"]
            match widget["type"]:
                case "text":
                    _text(card, properties["markdown"])
                case "alarm":
                    _tiles(card, properties, self.states)
                case "log":
                    _table(card, properties, self.events)
                case "metric" if properties.get("view") == "singleValue":
                    self._numbers(card, properties)
                case "metric":
                    self._graph(card, properties)
        return figure

    def _graph(self, card: "_Card", properties: Mapping[str, Any]) -> None:
        card.title(properties["title"])
        lines = curves(properties, self.metrics, self.window)
        legend_lines = card.legend(lines)
        axes = card.axes(left=0.48, right=0.16, top=0.42, bottom=0.42 + 0.15 * legend_lines)
        unit = properties.get("yAxis", {}).get("left", {}).get("label", "")
        axes.set_title(unit, loc="left", fontsize=6.5, color=_FAINT, pad=3)
        drawn = [curve for curve in lines if not curve.empty]
        times = self.window.times
        if not drawn:
            _nothing(axes, properties)
        elif properties.get("stacked"):
            layers = [[value or 0.0 for value in curve.values] for curve in drawn]
            axes.stackplot(times, layers, colors=[curve.colour for curve in drawn], alpha=0.85, linewidth=0)
        else:
            for curve in drawn:
                _line(axes, times, curve)
        _dress(axes, self.window, count=unit == "count")
        _thresholds(axes, properties, self.window)

    def _numbers(self, card: "_Card", properties: Mapping[str, Any]) -> None:
        card.title(properties["title"])
        latest = curves(properties, self.metrics, self.window.whole)
        history = curves(properties, self.metrics, self.window)
        share = (card.width - 0.3) / len(latest)
        for index, (number, spark) in enumerate(zip(latest, history, strict=True)):
            left = 0.2 + index * share
            value = number.values[0]
            card.write(left, card.height - 0.62, number.label, size=7.5, colour=_FAINT)
            card.write(
                left, 0.24, "n/a" if value is None else _short(value), size=21, colour=number.colour, weight="bold"
            )
            if not spark.empty:
                axes = card.axes(left=left + share * 0.5, right=card.width - left - share * 0.92, top=0.75, bottom=0.24)
                _line(axes, self.window.times, spark)
                axes.axis("off")


class _Card:
    """A widget's rectangle; positions inside it are in inches from its lower left corner."""

    def __init__(self, figure: Figure, left: float, bottom: float, width: float, height: float) -> None:
        self._figure = figure
        self.left, self.bottom = left + MARGIN_INCHES, bottom + MARGIN_INCHES
        self.width, self.height = width - 2 * MARGIN_INCHES, height - 2 * MARGIN_INCHES

    def frame(self) -> None:
        """Draw the card itself."""
        self.box(0, 0, self.width, self.height, fill=_CARD, edge=_EDGE)

    def box(self, x: float, y: float, width: float, height: float, *, fill: str, edge: str = "none") -> None:
        """Draw a rectangle with slightly rounded corners."""
        self._figure.add_artist(
            FancyBboxPatch(
                (self.left + x, self.bottom + y),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.05",
                transform=self._figure.dpi_scale_trans,
                facecolor=fill,
                edgecolor=edge,
                linewidth=0.8,
                zorder=-1,
            )
        )

    def write(self, x: float, y: float, text: str, *, size: float, colour: str = _INK, **style: Any) -> None:  # noqa: ANN401 (passed on to Matplotlib)
        """Write text whose baseline begins at a place."""
        self._figure.text(
            self.left + x,
            self.bottom + y,
            text.replace("$", r"\$"),
            transform=self._figure.dpi_scale_trans,
            fontsize=size,
            color=colour,
            **style,
        )

    def title(self, text: str) -> None:
        """Frame the card and head it."""
        self.frame()
        self.write(0.16, self.height - 0.25, text, size=8.5, weight="bold")

    def axes(self, *, left: float, right: float, top: float, bottom: float) -> Axes:
        """Return axes with these distances to the card's edges."""
        width, height = self._figure.get_size_inches()
        return self._figure.add_axes(
            (
                (self.left + left) / width,
                (self.bottom + bottom) / height,
                (self.width - left - right) / width,
                (self.height - top - bottom) / height,
            )
        )

    def legend(self, curves: Sequence[Curve]) -> int:
        """Write the legend along the lower edge and return how many lines it took."""
        lines: list[list[Curve]] = [[]]
        room = self.width - 0.3
        for curve in curves:
            if lines[-1] and sum(map(_legend_width, [*lines[-1], curve])) > room:
                lines.append([])
            lines[-1].append(curve)
        for number, line in enumerate(reversed(lines)):
            x, y = 0.18, 0.11 + 0.15 * number
            for curve in line:
                faint = curve.empty
                self.box(x, y + 0.01, 0.08, 0.06, fill=_EDGE if faint else curve.colour)
                self.write(x + 0.13, y, curve.label, size=6.5, colour=_BLEAK if faint else _INK)
                x += _legend_width(curve)
        return len(lines)


def _legend_width(curve: Curve) -> float:
    return 0.27 + 0.053 * len(curve.label)


def _text(card: _Card, markdown: str) -> None:
    heading, _, rest = markdown.partition("\n")
    level = len(heading) - len(heading.lstrip("#"))
    card.write(
        0.08,
        card.height - (0.34 if level == 1 else 0.36),
        heading.lstrip("# "),
        size=17 if level == 1 else 14,
        weight="bold",
    )
    plain = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1 ↗", rest).replace("`", "")
    for number, line in enumerate(textwrap.wrap(plain, width=int(card.width / 0.0705))):
        card.write(0.08, card.height - 0.58 - 0.17 * number, line, size=8.2, colour=_FAINT)


def _tiles(card: _Card, properties: Mapping[str, Any], states: Mapping[str, str]) -> None:
    card.title(properties["title"])
    names = [arn.rpartition(":")[2] for arn in properties["alarms"]]
    columns = max(1, round(card.width / 1.83))
    rows = -(-len(names) // columns)
    width, height = (card.width - 0.24) / columns, (card.height - 0.44) / rows
    for index, name in enumerate(names):
        column, row = divmod(index, rows)
        fill, ink = _STATES.get(states.get(name, ""), _UNKNOWN_STATE)
        x, y = 0.12 + column * width, card.height - 0.38 - (row + 1) * height
        card.box(x + 0.03, y + 0.025, width - 0.06, height - 0.05, fill=fill)
        lines = _fitting(re.sub(r"^mfa-[a-z0-9]+-", "", name), width - 0.18)
        style: dict[str, Any] = {
            "size": 6.7,
            "colour": ink,
            "weight": "bold" if fill == _ALARM else "normal",
            "va": "center",
        }
        for number, line in enumerate(lines):
            card.write(x + 0.1, y + height / 2 + 0.115 * ((len(lines) - 1) / 2 - number), line, **style)


def _fitting(name: str, width: float) -> list[str]:
    """Return a name in one line or, broken at the hyphen nearest to its middle, in two."""
    if 0.062 * len(name) <= width:
        return [name]
    hyphens = [index for index, letter in enumerate(name) if letter == "-"]
    middle = min(hyphens, key=lambda index: abs(index - len(name) / 2))
    return [name[: middle + 1], name[middle + 1 :]]


def _table(card: _Card, properties: Mapping[str, Any], events: Sequence[LogEvent]) -> None:
    """Answer the widget's query and write the rows that fit."""
    card.title(properties["title"])
    rows = log_rows(properties["query"], events)
    if not rows:
        card.write(card.width / 2, card.height / 2, "no rows in this run", size=7.5, colour=_BLEAK, ha="center")
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(name, row.get(name)) for name in columns] for row in rows]
    lengths = [max(map(len, (name, *column))) for name, column in zip(columns, zip(*cells, strict=True), strict=True)]
    widths = [(card.width - 0.3) * (length + 2) / (sum(lengths) + 2 * len(lengths)) for length in lengths]
    for number, line in enumerate([columns, *cells][: int((card.height - 0.5) / 0.185)]):
        x, y = 0.16, card.height - 0.48 - 0.185 * number
        for text, width in zip(line, widths, strict=True):
            fitting = min(7.0, 6.8 * width / (0.066 * max(1, len(text))))
            card.write(x, y, text, size=fitting, colour=_INK if number else _FAINT, family="DejaVu Sans Mono")
            x += width


def _cell(name: str, value: object) -> str:
    if name == "@timestamp" and isinstance(value, float):
        return datetime.fromtimestamp(value, UTC).strftime("%H:%M:%S")
    if isinstance(value, float):
        return _short(value)
    return "" if value is None else str(value).removeprefix("/aws/lambda/")


def _line(axes: Axes, times: Sequence[float], curve: Curve) -> None:
    """Draw a line, broken where there is no datapoint, with a dot where one stands alone."""
    values = [float("nan") if value is None else value for value in curve.values]
    lone = [index for index in range(len(values)) if _alone(curve.values, index)]
    axes.plot(times, values, color=curve.colour, linewidth=1.4, solid_capstyle="round")
    axes.plot([times[i] for i in lone], [values[i] for i in lone], "o", color=curve.colour, markersize=2.2)


def _alone(values: Sequence[float | None], index: int) -> bool:
    around = [values[near] for near in (index - 1, index + 1) if 0 <= near < len(values)]
    return values[index] is not None and all(value is None for value in around)


def _nothing(axes: Axes, properties: Mapping[str, Any]) -> None:
    namespaces = {str(metric[0]) for metric in expand_metrics(properties["metrics"])}
    of_aws = all(namespace.startswith("AWS/") for namespace in namespaces)
    text = "published by AWS, not by the embedded one" if of_aws else "no datapoints in this run"
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=_BLEAK, fontsize=7.5)


def _dress(axes: Axes, window: Window, *, count: bool) -> None:
    axes.set_xlim(window.times[0], window.times[-1])
    top = axes.dataLim.ymax if axes.has_data() else 0
    axes.set_ylim(0, 1.12 * top if top > 0 else 1)
    if axes.has_data():
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=count))
    else:
        axes.set_yticks([0])
    axes.yaxis.set_major_formatter(lambda value, _: _short(value))
    step = max(1, window.length // 4)
    marks = window.times[step // 2 :: step]
    axes.set_xticks(marks, [datetime.fromtimestamp(mark, UTC).strftime("%H:%M:%S") for mark in marks])
    axes.tick_params(length=0, labelsize=6.5, labelcolor=_FAINT)
    axes.grid(axis="y", color="#e9ecef", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_facecolor("none")
    for side in axes.spines.values():
        side.set_visible(False)


def _thresholds(axes: Axes, properties: Mapping[str, Any], window: Window) -> None:
    """Draw where the alarm fires; where datapoints are shorter than the alarm's, only say so."""
    style: dict[str, Any] = {"color": _ALARM, "fontsize": 6.3, "ha": "right"}
    period = int(properties.get("period", window.period))
    for annotation in properties.get("annotations", {}).get("horizontal", []):
        value = float(annotation["value"])
        if period == window.period:
            axes.set_ylim(0, max(axes.get_ylim()[1], value * 1.18))
            axes.axhline(value, color=_ALARM, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.annotate(
                f"alarm {_short(value)}", (1, value), (0, 2), ("axes fraction", "data"), "offset points", **style
            )
        else:
            text = f"alarm at {_short(value)} in {period // 60} min"
            axes.annotate(text, (1, 1), (0, 3), "axes fraction", "offset points", **style)


def _short(value: float) -> str:
    for limit, suffix in ((1e6, "M"), (1e3, "k")):
        if value >= 10 * limit or (value >= limit and value % (limit / 10) == 0):
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
