"""From panels to CloudWatch's widgets, laid out row by row."""

from collections.abc import Iterable, Mapping
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.monitoring.alarms import Alarms, metric_of
from infra.monitoring.dashboard.panels import AlarmTiles, Graph, Line, LogTable, Numbers, Panel, Row, Text
from infra.monitoring.queries import log_groups
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.model import AlarmRule, Urgency

#: Of every datapoint on the dashboard: that of the alarms, so that a graph shows what an alarm saw.
PERIOD_MINUTES = 5
_START = "-PT3H"


class OverviewDashboard(Construct):
    """The dashboard as CloudWatch has it.

    Parameters
    ----------
    environment : str
        Whose dashboard it is.
    rows : iterable of Row
        What is on it.
    resources : WatchedResources
        Whose logs its tables read.
    alarms : Alarms
        Whose states it shows.
    rules : sequence of AlarmRule
        Which of them page.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: str,
        rows: Iterable[Row],
        resources: WatchedResources,
        alarms: Alarms,
        rules: Iterable[AlarmRule],
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._resources = resources
        self._alarms = alarms
        self._urgencies: Mapping[str, Urgency] = {rule.key: rule.urgency for rule in rules}
        self.name = f"mfa-{environment}"
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self.name,
            period_override=cloudwatch.PeriodOverride.INHERIT,
            start=_START,
            widgets=[[cast("cloudwatch.IWidget", self._widget(panel)) for panel in row] for row in rows],
        )

    def _widget(self, panel: Panel) -> cloudwatch.ConcreteWidget:
        match panel:
            case Text():
                return cloudwatch.TextWidget(
                    markdown=panel.markdown,
                    width=panel.width,
                    height=panel.height,
                    background=cloudwatch.TextWidgetBackground.TRANSPARENT,
                )
            case Graph():
                return _graph(panel)
            case Numbers():
                return cloudwatch.SingleValueWidget(
                    title=panel.title,
                    metrics=[_drawn(each) for each in panel.lines],
                    width=panel.width,
                    height=panel.height,
                    sparkline=True,
                )
            case AlarmTiles():
                return self._tiles(panel)
            case LogTable():
                return cloudwatch.LogQueryWidget(
                    title=panel.title,
                    log_group_names=log_groups(panel.query, self._environment, self._resources),
                    query_lines=list(panel.query.lines),
                    width=panel.width,
                    height=panel.height,
                )

    def _tiles(self, panel: AlarmTiles) -> cloudwatch.AlarmStatusWidget:
        members = [alarm for key, alarm in self._alarms.by_key.items() if self._urgencies[key] is panel.urgency]
        page = [self._alarms.page] if panel.urgency is Urgency.PAGE else []
        return cloudwatch.AlarmStatusWidget(
            title=panel.title,
            alarms=[*page, *members],
            width=panel.width,
            height=panel.height,
        )


def _graph(panel: Graph) -> cloudwatch.GraphWidget:
    annotations = (
        []
        if panel.threshold is None
        else [cloudwatch.HorizontalAnnotation(value=panel.threshold, label="alarm", color=cloudwatch.Color.RED)]
    )
    return cloudwatch.GraphWidget(
        title=panel.title,
        left=[_drawn(each) for each in panel.lines],
        left_y_axis=cloudwatch.YAxisProps(min=0, label=panel.unit, show_units=False),
        left_annotations=annotations,
        legend_position=cloudwatch.LegendPosition.BOTTOM,
        period=Duration.minutes(PERIOD_MINUTES),
        stacked=panel.stacked,
        width=panel.width,
        height=panel.height,
    )


def _drawn(drawn: Line) -> cloudwatch.IMetric:
    period = Duration.minutes(PERIOD_MINUTES)
    if drawn.expression is None:
        (series,) = drawn.series.values()
        return cast("cloudwatch.IMetric", metric_of(series, period, label=drawn.label, color=drawn.colour))
    return cast(
        "cloudwatch.IMetric",
        cloudwatch.MathExpression(
            expression=drawn.expression,
            using_metrics={
                name: cast("cloudwatch.IMetric", metric_of(each, period)) for name, each in drawn.series.items()
            },
            label=drawn.label,
            color=drawn.colour,
            period=period,
        ),
    )
