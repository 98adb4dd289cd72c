"""Where alarms report to: one topic for every alarm, and one for pages if paging is on."""

from typing import Final, cast

from aws_cdk import Annotations, ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import Config
from infra.monitoring.rules.model import alarm_name


class AlertTopics(Construct):
    """The topics, their subscriptions, and the key that encrypts the messages in them.

    Parameters
    ----------
    config : Config
        The environment's settings: who is subscribed, and whether there is a topic for pages.

    Attributes
    ----------
    alerts : Topic
        Every change of every alarm.
    pages : Topic or None
        Every change of the composite alarm; ``None`` if paging is off.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(scope, id)
        monitoring = config.monitoring
        self._environment = config.environment
        self._key = kms.Key(
            self,
            "Key",
            description=f"Alarm messages of mfa-{config.environment}",
            enable_key_rotation=True,
            # A message is stored for minutes, so nothing that this key encrypts needs to be kept.
            removal_policy=RemovalPolicy.DESTROY,
        )
        # With SNS's default key, or without this statement, messages of alarms are lost without an error.
        self._key.add_to_resource_policy(self._alarms_may("kms:Decrypt", "kms:GenerateDataKey*", on="*"))
        self.alerts: Final = self._topic("Alerts", "alerts", emails=monitoring.alert_emails)
        self.pages: Final = (
            self._topic("Pages", "pages", emails=monitoring.page_emails, urls=monitoring.page_urls)
            if monitoring.paging
            else None
        )
        if monitoring.paging and not (monitoring.page_emails or monitoring.page_urls):
            Annotations.of(self).add_warning_v2(
                "mfa:nobody-is-paged", "paging is on, but page_urls and page_emails are empty: pages reach no one"
            )

    def _topic(self, id: str, suffix: str, *, emails: tuple[str, ...], urls: tuple[str, ...] = ()) -> sns.Topic:
        topic = sns.Topic(
            self,
            id,
            topic_name=alarm_name(self._environment, suffix),
            display_name=f"MFA {self._environment} {suffix}",
            master_key=cast("kms.IKey", self._key),
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(self._alarms_may("sns:Publish", on=topic.topic_arn))
        for address in emails:
            topic.add_subscription(cast("sns.ITopicSubscription", subscriptions.EmailSubscription(address)))
        for url in urls:
            topic.add_subscription(cast("sns.ITopicSubscription", subscriptions.UrlSubscription(url)))
        return topic

    def _alarms_may(self, *actions: str, on: str) -> iam.PolicyStatement:
        """Return a statement that allows actions to this environment's alarms only."""
        stack = Stack.of(self)
        alarms = stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=alarm_name(self._environment, "*"),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return iam.PolicyStatement(
            sid="AlarmsMayPublish",
            principals=[cast("iam.IPrincipal", iam.ServicePrincipal("cloudwatch.amazonaws.com"))],
            actions=[*actions],
            resources=[on],
            conditions={"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": alarms}},
        )
