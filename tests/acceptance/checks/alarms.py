"""The alarms, and their way to the people who respond."""

import json
import time
from typing import Any, Final

from infra.monitoring.rules.model import alarm_name
from local.cloudwatch.alarm_state import needs_aws
from tests.acceptance.checks.metrics import metrics_of
from tests.acceptance.deployment import Deployment
from tests.acceptance.model import NotAnswerableError, require
from tests.support.temporary_queue import messages_of_topic

#: The alarm whose state is set: it notifies only, and no smoke test comes near its threshold.
TRIED: Final = "conflicts-surge"
REASON: Final = "Acceptance check: this is a test, nothing happened"
_WAIT_SECONDS: Final = 5
#: An alarm is evaluated once a minute; this leaves time for a slow start.
_UNEVALUATED_SECONDS: Final = 600


def deployed_alarm(deployment: Deployment, key: str) -> dict[str, Any]:
    """Return an alarm by the key of its rule.

    Raises
    ------
    NotAnswerableError
        The environment is deployed without it.
    """
    name = alarm_name(deployment.environment, key)
    if (found := deployment.alarms().get(name)) is None:
        raise NotAnswerableError(f"{name} is not deployed: set monitoring.coverage to all")
    return found


def evaluated(deployment: Deployment) -> str:
    """Read the state of every alarm; one without data must be new, and its metrics must have none either."""
    alarms = {
        name: alarm
        for name, alarm in deployment.alarms().items()
        if not (deployment.emulated and "AlarmRule" not in alarm and needs_aws(alarm))
    }
    require(alarms, "there are no alarms")
    waiting = {name: each for name, each in alarms.items() if each["StateValue"] == "INSUFFICIENT_DATA"}
    for name, alarm in waiting.items():
        age = time.time() - alarm["AlarmConfigurationUpdatedTimestamp"].timestamp()
        require(age < _UNEVALUATED_SECONDS, f"{name} is not evaluated: {alarm.get('StateReason', '')}")
        with_data = [each["MetricName"] for each in metrics_of(alarm) if _has_data(deployment, each)]
        require(not with_data, f"{name} is not evaluated although there is data of {', '.join(with_data)}")
    return f"{len(alarms) - len(waiting)} evaluated, {len(waiting)} new" if waiting else f"{len(alarms)} evaluated"


def _has_data(deployment: Deployment, metric: dict[str, Any]) -> bool:
    now = time.time()
    found = deployment.client("cloudwatch").get_metric_statistics(
        Namespace=metric["Namespace"],
        MetricName=metric["MetricName"],
        Dimensions=metric.get("Dimensions", []),
        StartTime=now - _UNEVALUATED_SECONDS,
        EndTime=now,
        Period=60,
        Statistics=["SampleCount"],
    )
    return bool(found["Datapoints"])


def reach_the_topic(deployment: Deployment) -> str:
    """Set the state of one alarm, receive the message with a temporary queue on its topic, and set the state back."""
    cloudwatch, name = deployment.client("cloudwatch"), alarm_name(deployment.environment, TRIED)
    (topic,) = deployed_alarm(deployment, TRIED)["AlarmActions"]
    with messages_of_topic(deployment, topic) as queue:
        deployment.settle()
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=REASON)
        try:
            waited, received = 0.0, False
            while not received and waited < deployment.patience.messages:
                messages = [json.loads(json.loads(body)["Message"]) for body in queue.receive(wait=_WAIT_SECONDS)]
                received = any((each["AlarmName"], each["NewStateValue"]) == (name, "ALARM") for each in messages)
                waited += _WAIT_SECONDS
        finally:
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason=REASON)
    require(received, f"the message of {name} did not arrive at {topic.rpartition(':')[2]}")
    return f"{name} to {topic.rpartition(':')[2]}"


def subscriptions_are_confirmed(deployment: Deployment) -> str:
    """List the subscriptions of the topics that alarms report to."""
    sns = deployment.client("sns")
    topics = {topic for alarm in deployment.alarms().values() for topic in alarm.get("AlarmActions", ())}
    found = [
        each for topic in sorted(topics) for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    ]
    pending = [
        f"{each['Protocol']} {each['Endpoint']}" for each in found if not each["SubscriptionArn"].startswith("arn:")
    ]
    require(not pending, f"not confirmed: {', '.join(pending)}")
    if not found:
        raise NotAnswerableError("the topics have no subscription: set monitoring.alert_emails")
    return f"{len(found)} confirmed"
