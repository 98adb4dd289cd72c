"""A subscriber of the event bus."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from tests.support.stack import Aws

#: The stream is read every second, and the machine may be busy.
PATIENCE_SECONDS: Final = 30
#: No other event may follow the last expected one for this long: the stream is read twice.
SILENCE_SECONDS: Final = 3
_MOST_AT_A_TIME: Final = 10

type Event = dict[str, Any]


class Subscriber:
    """A queue behind a rule of the default bus.

    Parameters
    ----------
    pattern : dict
        The events that it receives.
    """

    def __init__(self, aws: Aws, pattern: dict[str, Any]) -> None:
        self._events, self._queues = aws.client("events"), aws.client("sqs")
        self._pattern = json.dumps(pattern)
        self._name = f"test-{uuid.uuid4()}"

    @contextmanager
    def subscribed(self) -> Iterator[Self]:
        """Subscribe during a block."""
        self._url = self._queues.create_queue(QueueName=self._name)["QueueUrl"]
        attributes = self._queues.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        self._events.put_rule(Name=self._name, EventPattern=self._pattern)
        self._events.put_targets(Rule=self._name, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
        try:
            yield self
        finally:
            self._events.remove_targets(Rule=self._name, Ids=["queue"])
            self._events.delete_rule(Name=self._name)
            self._queues.delete_queue(QueueUrl=self._url)

    def wait_for(self, count: int) -> list[Event]:
        """Return the received events in order, once there are exactly so many."""
        found: list[Event] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            found += self._received(wait=1)
        found += self.everything()
        assert len(found) == count, [event["detail-type"] for event in found]
        return found

    def everything(self) -> list[Event]:
        """Return the received events, once no more arrive for a while."""
        found: list[Event] = []
        while more := self._received(wait=SILENCE_SECONDS):
            found += more
        return found

    def receives_nothing(self) -> bool:
        """Return whether no event arrives for a while."""
        return not self._received(wait=SILENCE_SECONDS)

    def _received(self, *, wait: int) -> list[Event]:
        return [json.loads(body) for body in receive(self._queues, self._url, wait=wait)]


def receive(queues: Any, url: str, *, wait: int) -> list[str]:
    """Receive and delete messages of a queue."""
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=_MOST_AT_A_TIME, WaitTimeSeconds=wait).get(
        "Messages", []
    )
    for message in messages:
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]
