"""Dashboards, graphs and lines in the shape that both dashboards use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.monitoring.alarms import metric_math, metric_of
from infra.monitoring.resources import Series

#: Length of every datapoint on a dashboard: the same as most alarms', so that a graph shows what an alarm evaluated.
PERIOD_MINUTES: Final = 5


FIGURE_WIDTH: Final = 4
FIGURE_HEIGHT: Final = 4

type Figure = cloudwatch.SingleValueWidget | cloudwatch.GaugeWidget
type WidgetRow = Sequence[cloudwatch.ConcreteWidget]


class Colour(StrEnum):
    """What each colour means. Colour-blind readers can distinguish the palette (Okabe and Ito)."""

    GOOD = "#009e73"
    NEUTRAL = "#7f7f7f"
    REFUSED = "#e69f00"
    FAILED = "#d55e00"
    BROKEN = "#b10026"
    SUSPICIOUS = "#8b5fbf"
    FIRST = "#0072b2"
    SECOND = "#56b4e9"


def line(label: str, series: Series, colour: Colour | None = None) -> cloudwatch.IMetric:
    """Return the line of one series."""
    return metric_of(series, Duration.minutes(PERIOD_MINUTES), label=label, colour=colour)


def computed(
    label: str, expression: str, series: Mapping[str, Series], colour: Colour | None = None
) -> cloudwatch.IMetric:
    """Return the line of an expression over series, by the names that the expression uses."""
    return metric_math(expression, series, Duration.minutes(PERIOD_MINUTES), label=label, colour=colour)


def counter(label: str, series: Series, colour: Colour | None = None) -> cloudwatch.IMetric:
    """Return the line of a metric that is published only when it counts something: zero in between, not a gap."""
    identifier = f"m_{series.name}"
    return computed(label, f"FILL({identifier},0)", {identifier: series}, colour)


@dataclass(frozen=True, kw_only=True)
class FigureTarget:
    """What a key figure should be.

    Attributes
    ----------
    value : float
        From this value on the figure is good, or bad.
    highest : float
        End of the gauge's scale.
    at_least : bool
        Whether values from ``value`` on are good, not bad.
    """

    value: float
    highest: float
    at_least: bool = False

    def label(self, unit: str) -> str:
        """Return the target in words: ``target: below 3000 ms``."""
        return f"target: {'at least' if self.at_least else 'below'} {self.value:g} {unit}"


def figure(
    title: str, value: Callable[[str], cloudwatch.IMetric], *, unit: str, target: FigureTarget | None = None
) -> Figure:
    """Return a key figure of the last period; with a target it is a gauge whose ends are coloured by the target.

    CloudWatch colours a gauge, not a number widget, by its annotations ("Using gauge widgets", CloudWatch user guide).

    Parameters
    ----------
    value : callable
        Returns the line of the figure; it takes the line's label, which CloudWatch shows below the number.
    """
    if target is None:
        label = f"{unit} in {PERIOD_MINUTES} minutes"
        return cloudwatch.SingleValueWidget(
            title=title, metrics=[value(label)], sparkline=True, width=FIGURE_WIDTH, height=FIGURE_HEIGHT
        )
    label = target.label(unit)
    good, bad = cloudwatch.Shading.BELOW, cloudwatch.Shading.ABOVE
    if target.at_least:
        good, bad = bad, good
    return cloudwatch.GaugeWidget(
        title=title,
        metrics=[value(label)],
        left_y_axis=cloudwatch.YAxisProps(min=0, max=target.highest, label=unit, show_units=False),
        annotations=[
            cloudwatch.HorizontalAnnotation(value=target.value, label=name, color=colour, fill=fill)
            for name, colour, fill in (("on target", Colour.GOOD, good), ("off target", Colour.BROKEN, bad))
        ],
        period=Duration.minutes(PERIOD_MINUTES),
        width=FIGURE_WIDTH,
        height=FIGURE_HEIGHT,
    )


def graph(
    title: str,
    lines: Sequence[cloudwatch.IMetric],
    *,
    unit: str = "count",
    threshold: float | None = None,
    stacked: bool = False,
    width: int = 8,
    height: int = 6,
) -> cloudwatch.GraphWidget:
    """Return a graph whose left axis starts at zero and counts ``unit``; ``threshold`` is where its alarm fires."""
    alarm = cloudwatch.HorizontalAnnotation(value=threshold or 0, label="alarm", color=cloudwatch.Color.RED)
    return cloudwatch.GraphWidget(
        title=title,
        left=[*lines],
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit, show_units=False),
        left_annotations=[] if threshold is None else [alarm],
        legend_position=cloudwatch.LegendPosition.BOTTOM,
        period=Duration.minutes(PERIOD_MINUTES),
        stacked=stacked,
        width=width,
        height=height,
    )


def dashboard(
    scope: Construct, name: str, rows: Sequence[WidgetRow], variables: Sequence[cloudwatch.DashboardVariable] = ()
) -> None:
    """Add a dashboard with rows of widgets, each up to 24 columns wide, and inputs that change its widgets."""
    cloudwatch.Dashboard(
        scope,
        "Dashboard",
        dashboard_name=name,
        period_override=cloudwatch.PeriodOverride.INHERIT,
        start="-PT3H",
        variables=[cast("cloudwatch.IVariable", variable) for variable in variables] or None,
        widgets=[[cast("cloudwatch.IWidget", widget) for widget in row] for row in rows],
    )
