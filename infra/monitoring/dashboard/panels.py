"""The words that dashboards are written in: panels on rows of 24 columns, and what each shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from infra.monitoring.queries import SavedQuery
from infra.monitoring.rules.model import Series, Urgency

COLUMNS: Final = 24


class Colour(StrEnum):
    """What a colour means, wherever it is: readable beside each other for the colour-blind too (Okabe and Ito)."""

    GOOD = "#009e73"
    NEUTRAL = "#7f7f7f"
    REFUSED = "#e69f00"
    FAILED = "#d55e00"
    BROKEN = "#b10026"
    SUSPICIOUS = "#8b5fbf"
    FIRST = "#0072b2"
    SECOND = "#56b4e9"
    THIRD = "#cc79a7"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a graph: a series, or metric math over several."""

    label: str
    series: Mapping[str, Series]
    expression: str | None = None
    colour: Colour | None = None

    def __post_init__(self) -> None:
        """Refuse a line without anything to draw."""
        if self.expression is None and len(self.series) != 1:
            raise ValueError(f"{self.label}: without an expression there is exactly one series")


def line(label: str, series: Series, colour: Colour | None = None) -> Line:
    """Return the line of one series."""
    return Line(label=label, series={"m": series}, colour=colour)


def counter(series: Series, colour: Colour | None = None) -> Line:
    """Return the line of a metric that is published only when it counts something: zero in between, not a gap."""
    identifier = f"m_{series.name}"
    return Line(label=series.name, series={identifier: series}, expression=f"FILL({identifier},0)", colour=colour)


@dataclass(frozen=True, kw_only=True)
class Text:
    """Words, in Markdown."""

    markdown: str
    width: int = COLUMNS
    height: int = 2


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Lines over time.

    Attributes
    ----------
    threshold : float or None
        Drawn as a line: where the panel's alarm fires.
    unit : str
        What the left axis counts.
    """

    title: str
    lines: tuple[Line, ...]
    unit: str = "count"
    threshold: float | None = None
    stacked: bool = False
    width: int = 8
    height: int = 6


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The latest values, large."""

    title: str
    lines: tuple[Line, ...]
    width: int = COLUMNS
    height: int = 3


@dataclass(frozen=True, kw_only=True)
class AlarmTiles:
    """The state of every alarm of an urgency; for PAGE, the composite alarm first."""

    title: str
    urgency: Urgency
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class LogTable:
    """The answer of a saved query."""

    title: str
    query: SavedQuery
    width: int = COLUMNS
    height: int = 6


type Panel = Text | Graph | Numbers | AlarmTiles | LogTable
type Row = tuple[Panel, ...]
