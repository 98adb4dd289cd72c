"""Dashboards, graphs and lines in the shape that both dashboards use."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.monitoring.alarms import metric_math, metric_of
from infra.monitoring.resources import TABLE_OPERATIONS, Series, WatchedResources

#: Length of every datapoint on a dashboard: the same as most alarms', so that a graph shows what an alarm evaluated.
PERIOD_MINUTES: Final = 5

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


def request_units(watched: WatchedResources) -> list[cloudwatch.IMetric]:
    """Return the lines of the table's consumed request units."""
    return [
        line("read", watched.table("ConsumedReadCapacityUnits"), Colour.SECOND),
        line("write", watched.table("ConsumedWriteCapacityUnits"), Colour.FIRST),
    ]


def table_latency(watched: WatchedResources) -> list[cloudwatch.IMetric]:
    """Return the lines of the table's average latency, one for each operation."""
    return [
        line(each, watched.table("SuccessfulRequestLatency", operation=each, statistic="Average"))
        for each in TABLE_OPERATIONS
    ]


def table_throttles(watched: WatchedResources) -> list[cloudwatch.IMetric]:
    """Return the lines of the requests that the table refused for capacity."""
    return [
        line("throttled reads", watched.table("ReadThrottleEvents"), Colour.REFUSED),
        line("throttled writes", watched.table("WriteThrottleEvents"), Colour.FAILED),
    ]


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
