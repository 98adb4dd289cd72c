"""Where alarms report to: one topic for every change, and where paging is on a second one that wakes somebody."""

from typing import cast

from aws_cdk import Annotations, ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config.monitoring import MonitoringConfig
from infra.monitoring.rules.model import alarm_name


class AlertTopics(Construct):
    """The topics and the key that encrypts what waits in them.

    Parameters
    ----------
    scope, id
        As of every construct.
    environment : str
        Part of the topics' names.
    config : MonitoringConfig
        Who is subscribed, and whether there is a topic for pages.

    Attributes
    ----------
    alerts : Topic
        Every alarm that starts or ends.
    pages : Topic or None
        The composite alarm alone; ``None`` where nobody is woken.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 (the name that every construct has)
        *,
        environment: str,
        config: MonitoringConfig,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._key = kms.Key(
            self,
            "Key",
            description=f"Alarm messages of mfa-{environment}",
            enable_key_rotation=True,
            # A message lives for minutes: nothing sealed by this key is worth keeping.
            removal_policy=RemovalPolicy.DESTROY,
        )
        # With the default key, or without this, alarms change state and their messages silently vanish.
        self._key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayPublish",
                principals=[cast("iam.IPrincipal", iam.ServicePrincipal("cloudwatch.amazonaws.com"))],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=self._from_our_alarms(),
            )
        )
        self.alerts = self._topic("Alerts", "alerts")
        for address in config.alert_emails:
            self.alerts.add_subscription(_email(address))
        self.pages = self._topic("Pages", "pages") if config.paging else None
        if self.pages is not None:
            for address in config.page_emails:
                self.pages.add_subscription(_email(address))
            for url in config.page_urls:
                self.pages.add_subscription(cast("sns.ITopicSubscription", subscriptions.UrlSubscription(url)))
            if not (config.page_emails or config.page_urls):
                Annotations.of(self).add_warning_v2(
                    "mfa:nobody-is-paged", "paging is on, but page_urls and page_emails are empty: pages reach nobody"
                )

    def _topic(self, id: str, suffix: str) -> sns.Topic:  # noqa: A002 (the name that every construct has)
        topic = sns.Topic(
            self,
            id,
            topic_name=alarm_name(self._environment, suffix),
            display_name=f"MFA {self._environment} {suffix}",
            master_key=cast("kms.IKey", self._key),
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayPublish",
                principals=[cast("iam.IPrincipal", iam.ServicePrincipal("cloudwatch.amazonaws.com"))],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=self._from_our_alarms(),
            )
        )
        return topic

    def _from_our_alarms(self) -> dict[str, dict[str, str]]:
        stack = Stack.of(self)
        ours = stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=alarm_name(self._environment, "*"),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": ours}}


def _email(address: str) -> sns.ITopicSubscription:
    return cast("sns.ITopicSubscription", subscriptions.EmailSubscription(address))
