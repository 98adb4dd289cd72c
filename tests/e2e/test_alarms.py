"""Alarms of the deployed stack: caused over HTTP or by a metric, until their messages arrive at a queue.

``tests/infra/monitoring/test_handlers_and_alarms.py`` causes each of the six alarms on setup.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pytest

from functions.shared.contract import (
    BACKUP_CODES,
    METRICS_NAMESPACE,
    SETUP,
    SETUP_METRICS,
    metric_dimensions,
)
from infra.monitoring.rules import PAGE_KEY
from infra.monitoring.rules.model import alarm_name
from local.cloudwatch.alarm_rule import alarms_named
from local.cloudwatch.alarm_state import needs_aws
from local.stack import Stack
from tests.support.stack import Api, Aws
from tests.support.temporary_queue import TemporaryQueue, messages_of_topic

#: Alarms are evaluated every few seconds, and the machine may be busy.
PATIENCE_SECONDS: Final = 30

type TokenFor = Callable[..., str]


class Alarms:
    """The alarms of the stack under test, and a queue that receives their messages."""

    _queue: TemporaryQueue

    def __init__(self, aws: Aws, environment: str) -> None:
        self.cloudwatch = aws.client("cloudwatch")
        self._sns = aws.client("sns")
        self._aws = aws
        self._environment = environment

    def described(self) -> dict[str, dict[str, Any]]:
        """Return every alarm, by its key in the runbook."""
        prefix = alarm_name(self._environment, "")
        found = self.cloudwatch.describe_alarms(
            AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
        )
        return {
            each["AlarmName"].removeprefix(prefix): each for each in found["MetricAlarms"] + found["CompositeAlarms"]
        }

    @contextmanager
    def received_from(self, topic: str) -> Iterator[None]:
        """Subscribe a new queue to a topic."""
        with messages_of_topic(self._aws, topic) as self._queue:
            yield

    @contextmanager
    def changed(self, alarm: Mapping[str, Any], **properties: Any) -> Iterator[None]:
        """Put an alarm with other properties for a while."""
        operation = "PutCompositeAlarm" if "AlarmRule" in alarm else "PutMetricAlarm"
        known = self.cloudwatch.meta.service_model.operation_model(operation).input_shape.members
        put = self.cloudwatch.put_composite_alarm if "AlarmRule" in alarm else self.cloudwatch.put_metric_alarm
        as_deployed = {name: value for name, value in alarm.items() if name in known}
        put(**as_deployed | properties)
        try:
            yield
        finally:
            put(**as_deployed)

    @contextmanager
    def own_topic(self) -> Iterator[str]:
        """Create a topic, and return its ARN."""
        topic: str = self._sns.create_topic(Name=alarm_name(self._environment, f"test-{time.time_ns()}"))["TopicArn"]
        try:
            yield topic
        finally:
            self._sns.delete_topic(TopicArn=topic)

    def count(self, metric: str, value: float) -> None:
        """Count something so many times; a negative number takes it back."""
        dimensions = [{"Name": name, "Value": each} for name, each in metric_dimensions(self._environment).items()]
        datum = {"MetricName": metric, "Dimensions": dimensions, "Value": value}
        self.cloudwatch.put_metric_data(Namespace=METRICS_NAMESPACE, MetricData=[datum])

    def on(self, metric: str) -> dict[str, Any]:
        """Return the plain alarm on one of the six metrics."""
        (alarm,) = [each for each in self.described().values() if each.get("MetricName") == metric]
        return alarm

    def calm(self, metric: str) -> None:
        """Delete earlier messages and set the alarm to OK, because an earlier test may have set it off.

        If that was recent, it goes into ALARM again, with a message.
        """
        while self._received():
            pass
        self.cloudwatch.set_alarm_state(
            AlarmName=self.on(metric)["AlarmName"], StateValue="OK", StateReason="the test begins"
        )

    def total(self, metric: str) -> float:
        """Return how often a metric was counted in the last hour."""
        now = time.time()
        answer = self.cloudwatch.get_metric_statistics(
            Namespace=METRICS_NAMESPACE,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in metric_dimensions(self._environment).items()],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    def message_of(self, alarm: str, state: str = "ALARM") -> dict[str, Any]:
        """Return the message that an alarm sent on going into a state, waiting for it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for message in self._received():
                if (message["AlarmName"], message["NewStateValue"]) == (alarm, state):
                    return message
        pytest.fail(f"no message of {alarm} in {state} within {PATIENCE_SECONDS} s")

    def _received(self) -> list[dict[str, Any]]:
        return [json.loads(json.loads(body)["Message"]) for body in self._queue.receive(wait=1)]


@pytest.fixture(scope="module")
def alarms(aws: Aws, stack: Stack) -> Iterator[Alarms]:
    found = Alarms(aws, stack.environment)
    (topic,) = {action for alarm in found.described().values() for action in alarm["AlarmActions"]}
    with found.received_from(topic):
        yield found


@pytest.fixture
def setup_answers(api: Api, token_for: TokenFor) -> Callable[[str], int]:
    """Return a function that asks for an enrolment and returns the status."""
    return lambda user: api.request(SETUP.method, SETUP.path, token=token_for(user)).status


def _proves(alarms: Alarms, metric: str, cause: Callable[[], int], status: int) -> None:
    """Cause a condition as often as its alarm's threshold says, and receive its message."""
    alarm = alarms.on(metric)
    enough = int(alarm["Threshold"])
    alarms.calm(metric)
    before = alarms.total(metric)
    for _ in range(enough):
        assert cause() == status
    # The emulator reads metrics in the functions' logs, which it gets a moment after the response.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while alarms.total(metric) - before < enough and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alarms.total(metric) - before == enough

    message = alarms.message_of(alarm["AlarmName"])

    assert alarms.on(metric)["StateValue"] == "ALARM"
    assert message["Trigger"]["MetricName"] == metric
    assert "What to do: " in message["AlarmDescription"]
    assert f"#{alarm['AlarmName'].removeprefix('mfa-local-')}" in message["AlarmDescription"]


def test_errors(alarms: Alarms, aws: Aws, stack: Stack, setup_answers: Callable[[str], int]) -> None:
    user, kms = _someone("errors"), aws.client("kms")
    kms.disable_key(KeyId=stack.key_arn)
    try:
        _proves(alarms, SETUP_METRICS.errors, lambda: setup_answers(user), 503)
    finally:
        kms.enable_key(KeyId=stack.key_arn)
    assert setup_answers(user) == 200


def test_unauthorized(alarms: Alarms, api: Api) -> None:
    _proves(
        alarms,
        SETUP_METRICS.unauthorized,
        lambda: api.request(SETUP.method, SETUP.path, token="not-a-token").status,
        401,
    )


def test_every_alarm_is_evaluated_unless_it_needs_metrics_of_aws(
    alarms: Alarms, setup_answers: Callable[[str], int]
) -> None:
    assert setup_answers(_someone("evaluated")) == 200
    described = alarms.described()
    unevaluated = {key for key, alarm in described.items() if alarm["StateValue"] == "INSUFFICIENT_DATA"}
    assert unevaluated == {
        "account-concurrency",
        "proof-signed-outside-the-api",
        "secret-decrypted-outside-the-api",
        "secret-in-logs",
        "secret-in-logs-by-group",
        "security-events-dead-letter",
        "security-events-delay",
        "table-system-errors",
        "table-throttles",
    }
    assert unevaluated == {key for key, alarm in described.items() if key != PAGE_KEY and needs_aws(alarm)}


def test_a_paging_alarm_with_metric_math_moves_the_composite_alarm_there_and_back(aws: Aws, stack: Stack) -> None:
    alarms = Alarms(aws, stack.environment)
    described = alarms.described()
    composite = described[PAGE_KEY]
    key = f"{BACKUP_CODES.function.replace('_', '-')}-error-ratio"
    paging = {each for each in described if alarm_name(stack.environment, each) in alarms_named(composite["AlarmRule"])}
    assert "Metrics" in described[key]
    assert key in paging
    with ExitStack() as until_the_end:
        topic = until_the_end.enter_context(alarms.own_topic())
        until_the_end.enter_context(alarms.received_from(topic))
        # Other tests may have set off other alarms that page.
        for other in paging - {key}:
            until_the_end.enter_context(alarms.changed(described[other], Threshold=1e9))
        actions = {"AlarmActions": [topic], "OKActions": [topic]}
        until_the_end.enter_context(alarms.changed(composite, **actions))
        alarms.cloudwatch.set_alarm_state(
            AlarmName=composite["AlarmName"], StateValue="OK", StateReason="the test begins"
        )
        for metric in (BACKUP_CODES.metrics.attempts, BACKUP_CODES.metrics.errors):
            alarms.count(metric, 1000)
        message = alarms.message_of(composite["AlarmName"], "ALARM")
        assert f"{described[key]['AlarmArn']} transitioned to ALARM" in message["NewStateReason"]
        assert "What to do: " in message["AlarmDescription"]
        now = alarms.described()
        assert (now[key]["StateValue"], now[PAGE_KEY]["StateValue"]) == ("ALARM", "ALARM")
        for metric in (BACKUP_CODES.metrics.errors, BACKUP_CODES.metrics.attempts):
            alarms.count(metric, -1000)
        alarms.message_of(composite["AlarmName"], "OK")
        now = alarms.described()
        assert (now[key]["StateValue"], now[PAGE_KEY]["StateValue"]) == ("OK", "OK")


def _someone(condition: str) -> str:
    """Return a user whom no other run of the test has met."""
    return f"alarm-{condition}-{time.time_ns()}@example.com"
