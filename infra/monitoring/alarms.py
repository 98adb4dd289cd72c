"""From rules to CloudWatch alarms, and the one composite alarm that wakes somebody."""

from collections.abc import Sequence
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from infra.config.monitoring import MonitoringConfig
from infra.monitoring.rules import PAGE_KEY
from infra.monitoring.rules.model import AlarmRule, Missing, Series, Urgency, alarm_name
from infra.monitoring.topics import AlertTopics

_MISSING: Final = {
    Missing.NOT_BREACHING: cloudwatch.TreatMissingData.NOT_BREACHING,
    Missing.BREACHING: cloudwatch.TreatMissingData.BREACHING,
}


def metric_of(series: Series, period: Duration, *, label: str | None = None, color: str | None = None) -> (
    cloudwatch.Metric
):  # fmt: skip
    """Return CDK's metric of a series."""
    return cloudwatch.Metric(
        namespace=series.namespace,
        metric_name=series.name,
        dimensions_map=dict(series.dimensions),
        statistic=series.statistic,
        period=period,
        label=label,
        color=color,
    )


class Alarms(Construct):
    """Every alarm of an environment.

    Parameters
    ----------
    scope, id
        As of every construct.
    environment : str
        Part of every alarm's name.
    config : MonitoringConfig
        Where the runbook is.
    rules : sequence of AlarmRule
        When they fire.
    topics : AlertTopics
        Whom they tell.

    Attributes
    ----------
    by_key : dict
        The alarms, by the key of their rule.
    page : CompositeAlarm
        Fires when any alarm of urgency PAGE does.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 (the name that every construct has)
        *,
        environment: str,
        config: MonitoringConfig,
        rules: Sequence[AlarmRule],
        topics: AlertTopics,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._config = config
        alerts = cast("cloudwatch.IAlarmAction", actions.SnsAction(topics.alerts))
        self.by_key = {rule.key: self._alarm(rule, alerts) for rule in rules}
        urgent = [self.by_key[rule.key] for rule in rules if rule.urgency is Urgency.PAGE]
        self.page = cloudwatch.CompositeAlarm(
            self,
            "Page",
            composite_alarm_name=alarm_name(environment, PAGE_KEY),
            alarm_description=describe(
                "Users are affected or about to be: at least one of the alarms that page is on.",
                "Open the dashboard: its first row names the alarm; then that alarm's heading in the runbook.",
                config.runbook_link(PAGE_KEY),
            ),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(each, cloudwatch.AlarmState.ALARM) for each in urgent)
            ),
        )
        if topics.pages is not None:
            pages = cast("cloudwatch.IAlarmAction", actions.SnsAction(topics.pages))
            self.page.add_alarm_action(pages)
            self.page.add_ok_action(pages)

    def _alarm(self, rule: AlarmRule, alerts: cloudwatch.IAlarmAction) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            rule.key,
            alarm_name=alarm_name(self._environment, rule.key),
            alarm_description=describe(rule.happened, rule.response, self._config.runbook_link(rule.key)),
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
        alarm.add_alarm_action(alerts)
        alarm.add_ok_action(alerts)
        return alarm


def describe(happened: str, response: str, link: str) -> str:
    """Return an alarm's description: all that a message on a telephone shows."""
    return f"What happened: {happened} What to do: {response} Runbook: {link}"


def _measured(rule: AlarmRule) -> cloudwatch.IMetric:
    period = Duration.minutes(rule.period_minutes)
    metrics = {name: metric_of(series, period) for name, series in rule.series.items()}
    if rule.expression is None:
        return cast("cloudwatch.IMetric", next(iter(metrics.values())))
    return cast(
        "cloudwatch.IMetric",
        cloudwatch.MathExpression(
            expression=rule.expression,
            using_metrics={name: cast("cloudwatch.IMetric", metric) for name, metric in metrics.items()},
            label=rule.key,
            period=period,
        ),
    )
