"""The CloudWatch alarms, built from the rules, and the composite alarm that pages."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config import Config
from infra.monitoring.resources import Series
from infra.monitoring.rules import PAGE_KEY
from infra.monitoring.rules.model import AlarmRule, alarm_description, alarm_name
from infra.monitoring.topics import AlertTopics


class Alarms(Construct):
    """Every alarm of an environment.

    Parameters
    ----------
    config : Config
        The environment's settings.
    rules : sequence of AlarmRule
        When the alarms fire.
    topics : AlertTopics or None
        Where they report to; ``None``: only the dashboard shows their states.

    Attributes
    ----------
    urgent : list of IAlarm
        The composite alarm, which fires when any of the alarms that page does, then those alarms; empty without any.
    notifying : list of IAlarm
        The alarms that only notify.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        rules: Sequence[AlarmRule],
        topics: AlertTopics | None,
    ) -> None:
        super().__init__(scope, id)
        self._environment = config.environment
        self._monitoring = config.monitoring
        self._topics = topics
        paging: list[cloudwatch.IAlarm] = []
        self.notifying: Final[list[cloudwatch.IAlarm]] = []
        for rule in rules:
            (paging if rule.pages else self.notifying).append(self._alarm(rule))
        self.urgent: Final = [self._page(paging), *paging] if paging else []

    def _page(self, paging: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarm:
        page = cloudwatch.CompositeAlarm(
            self,
            "Page",
            composite_alarm_name=alarm_name(self._environment, PAGE_KEY),
            alarm_description=alarm_description(
                self._monitoring,
                PAGE_KEY,
                happened="Users are affected or soon will be: at least one of the alarms that page is on.",
                response="Open the dashboard: its first row names the alarm; then that alarm's heading in the runbook.",
            ),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(each, cloudwatch.AlarmState.ALARM) for each in paging)
            ),
        )
        if self._topics is not None and self._topics.pages is not None:
            _report(page, self._topics.pages)
        return cast("cloudwatch.IAlarm", page)

    def _alarm(self, rule: AlarmRule) -> cloudwatch.IAlarm:
        alarm = cloudwatch.Alarm(
            self,
            rule.key,
            alarm_name=alarm_name(self._environment, rule.key),
            alarm_description=alarm_description(
                self._monitoring, rule.key, happened=rule.happened, response=rule.response
            ),
            metric=_measured(rule),
            threshold=rule.threshold,
            comparison_operator=(
                cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
                if rule.below
                else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.datapoints,
            treat_missing_data=(
                cloudwatch.TreatMissingData.BREACHING
                if rule.missing_breaches
                else cloudwatch.TreatMissingData.NOT_BREACHING
            ),
        )
        if self._topics is not None:
            _report(alarm, self._topics.alerts)
        return cast("cloudwatch.IAlarm", alarm)


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
