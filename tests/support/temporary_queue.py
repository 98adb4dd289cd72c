"""A queue that receives what EventBridge or SNS sends, during a block."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

_MOST_AT_A_TIME: Final = 10


class Clients(Protocol):
    """Makes AWS clients."""

    def client(self, service: str) -> Any:
        """Return a client of a service."""


@dataclass(frozen=True)
class TemporaryQueue:
    """A queue and its client."""

    url: str
    arn: str
    sqs: Any

    def receive(self, *, wait: int) -> list[str]:
        """Receive and delete messages, waiting some seconds for the first."""
        return receive(self.sqs, self.url, wait=wait)


def receive(sqs: Any, url: str, *, wait: int) -> list[str]:
    """Receive and delete messages of a queue, waiting some seconds for the first."""
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_MOST_AT_A_TIME, WaitTimeSeconds=wait).get(
        "Messages", []
    )
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


@contextmanager
def temporary_queue(clients: Clients, *, service: str, source_arn: str) -> Iterator[TemporaryQueue]:
    """Create a queue that a service may send to for one rule or topic, and delete it after the block."""
    sqs = clients.client("sqs")
    url = sqs.create_queue(QueueName=f"mfa-test-{uuid.uuid4()}")["QueueUrl"]
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        may_send = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may_send]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        yield TemporaryQueue(url, arn, sqs)
    finally:
        sqs.delete_queue(QueueUrl=url)


@contextmanager
def messages_of_topic(clients: Clients, topic: str) -> Iterator[TemporaryQueue]:
    """Subscribe a queue to a topic during a block."""
    sns = clients.client("sns")
    with temporary_queue(clients, service="sns.amazonaws.com", source_arn=topic) as queue:
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, ReturnSubscriptionArn=True)
        try:
            yield queue
        finally:
            sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])


@contextmanager
def events_of_bus(clients: Clients, pattern: dict[str, Any], *, bus: str) -> Iterator[TemporaryQueue]:
    """Send the events of a bus that match a pattern to a queue during a block."""
    events, name = clients.client("events"), f"mfa-test-{uuid.uuid4()}"
    on_bus = {"EventBusName": bus}
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern), **on_bus)["RuleArn"]
    try:
        with temporary_queue(clients, service="events.amazonaws.com", source_arn=rule) as queue:
            events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue.arn}], **on_bus)
            try:
                yield queue
            finally:
                events.remove_targets(Rule=name, Ids=["queue"], **on_bus)
    finally:
        events.delete_rule(Name=name, **on_bus)
