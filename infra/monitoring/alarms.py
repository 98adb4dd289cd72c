"""The CloudWatch alarms, built from the rules, and the composite alarm that pages."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config.monitoring import MonitoringConfig
from infra.monitoring.resources import Series
from infra.monitoring.rules import PAGE_KEY
from infra.monitoring.rules.model import AlarmRule, Missing, Urgency, alarm_name
from infra.monitoring.topics import AlertTopics

_MISSING: Final = {
    Missing.NOT_BREACHING: cloudwatch.TreatMissingData.NOT_BREACHING,
    Missing.BREACHING: cloudwatch.TreatMissingData.BREACHING,
}


class Alarms(Construct):
    """Every alarm of an environment.

    Parameters
    ----------
    environment : str
        Part of every alarm's name.
    config : MonitoringConfig
        Where the runbook is.
    rules : sequence of AlarmRule
        When the alarms fire.
    topics : AlertTopics or None
        Where they report to; ``None``: only the dashboard shows their states.

    Attributes
    ----------
    paging, notifying : list of Alarm
        The alarms of each urgency.
    page : CompositeAlarm or None
        Fires when any of the paging alarms does; ``None`` without such an alarm.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: str,
        config: MonitoringConfig,
        rules: Sequence[AlarmRule],
        topics: AlertTopics | None,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._config = config
        self._topics = topics
        self.paging: Final[list[cloudwatch.Alarm]] = []
        self.notifying: Final[list[cloudwatch.Alarm]] = []
        for rule in rules:
            (self.paging if rule.urgency is Urgency.PAGE else self.notifying).append(self._alarm(rule))
        self.page: Final = self._page() if self.paging else None

    @property
    def urgent(self) -> list[cloudwatch.IAlarm]:
        """The composite alarm, then the alarms that it watches."""
        return [cast("cloudwatch.IAlarm", each) for each in (self.page, *self.paging) if each is not None]

    def _page(self) -> cloudwatch.CompositeAlarm:
        page = cloudwatch.CompositeAlarm(
            self,
            "Page",
            composite_alarm_name=alarm_name(self._environment, PAGE_KEY),
            alarm_description=self._description(
                PAGE_KEY,
                happened="Users are affected or soon will be: at least one of the alarms that page is on.",
                response="Open the dashboard: its first row names the alarm; then that alarm's heading in the runbook.",
            ),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(each, cloudwatch.AlarmState.ALARM) for each in self.paging)
            ),
        )
        if self._topics is not None and self._topics.pages is not None:
            _report(page, self._topics.pages)
        return page

    def _alarm(self, rule: AlarmRule) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            rule.key,
            alarm_name=alarm_name(self._environment, rule.key),
            alarm_description=self._description(rule.key, happened=rule.happened, response=rule.response),
            metric=_measured(rule),
            threshold=rule.threshold,
            comparison_operator=(
                cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
                if rule.below
                else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.datapoints,
            treat_missing_data=_MISSING[rule.missing],
        )
        if self._topics is not None:
            _report(alarm, self._topics.alerts)
        return alarm

    def _description(self, key: str, *, happened: str, response: str) -> str:
        """Return an alarm's description, which is all that a message on a phone shows."""
        return f"What happened: {happened} What to do: {response} Runbook: {self._config.runbook_link(key)}"


def _report(alarm: cloudwatch.AlarmBase, topic: sns.Topic) -> None:
    action = cast("cloudwatch.IAlarmAction", actions.SnsAction(topic))
    alarm.add_alarm_action(action)
    alarm.add_ok_action(action)


def _measured(rule: AlarmRule) -> cloudwatch.IMetric:
    period = Duration.minutes(rule.period_minutes)
    if rule.expression is not None:
        return metric_math(rule.expression, rule.series, period, label=rule.key)
    (series,) = rule.series.values()
    return metric_of(series, period)


def metric_of(
    series: Series, period: Duration, *, label: str | None = None, colour: str | None = None
) -> cloudwatch.IMetric:
    """Return CDK's metric of a series."""
    metric = cloudwatch.Metric(
        namespace=series.namespace,
        metric_name=series.name,
        dimensions_map=dict(series.dimensions),
        statistic=series.statistic,
        period=period,
        label=label,
        color=colour,
    )
    return cast("cloudwatch.IMetric", metric)


def metric_math(
    expression: str, series: Mapping[str, Series], period: Duration, *, label: str, colour: str | None = None
) -> cloudwatch.IMetric:
    """Return CDK's metric of an expression over series, by the names that the expression uses."""
    math = cloudwatch.MathExpression(
        expression=expression,
        using_metrics={name: metric_of(each, period) for name, each in series.items()},
        label=label,
        color=colour,
        period=period,
    )
    return cast("cloudwatch.IMetric", math)
