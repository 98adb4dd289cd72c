"""The EventBridge bus for events, and the dead-letter queue for records that cannot be processed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from functions.security_events.models import SecurityEvent
from functions.security_events.stream import StreamRecord, sequence_number, user_id_of
from functions.shared.aws import create_client, failing_closed
from functions.shared.contract import EVENT_SOURCE
from functions.shared.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

#: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
MAX_ENTRIES: Final = 10


class EventBus(Protocol):
    """Publishes events."""

    def publish(self, events: Sequence[SecurityEvent]) -> list[str | None]:
        """Send events in one call; return None or the error code for each."""
        ...


class DeadLetters(Protocol):
    """Keeps records that cannot be processed, for an operator."""

    def keep(self, record: StreamRecord, reason: str) -> None:
        """Keep the reference to a record."""
        ...


class EventBridgeBus:
    """Publishes on an EventBridge bus.

    Parameters
    ----------
    bus : str
        Name or ARN of the bus.
    environment : str
        Deployment environment, included in every event.
    client : EventBridgeClient
        A client; by default a new one for the life of the process.
    """

    def __init__(self, bus: str, *, environment: str, client: "EventBridgeClient | None" = None) -> None:
        self._bus = bus
        self._environment = environment
        self._client: EventBridgeClient = client or create_client("events")

    def publish(self, events: Sequence[SecurityEvent]) -> list[str | None]:
        """Send at most `MAX_ENTRIES` events in one call.

        Returns
        -------
        list of str or None
            For each event in order, None if the bus accepted it, otherwise the error code.
        """
        try:
            with failing_closed("events:PutEvents"):
                response = self._client.put_events(Entries=[self._entry(event) for event in events])
        except ServiceUnavailableError as error:
            return [error.reason] * len(events)
        return [
            None if "EventId" in entry else str(entry.get("ErrorCode", "Unknown"))
            for _, entry in zip(events, response["Entries"], strict=True)
        ]

    def _entry(self, event: SecurityEvent) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": EVENT_SOURCE,
            "DetailType": event.type,
            "Time": datetime.fromtimestamp(event.occurred_at, UTC),
            "Detail": json.dumps(event.detail(self._environment)),
        }


class SqsDeadLetters:
    """Keeps references to records in the SQS queue to which Lambda also sends abandoned batches.

    Parameters
    ----------
    queue_url : str
        URL of the queue.
    client
        An SQS client; by default a new one for the life of the process.
    """

    def __init__(self, queue_url: str, client: Any = None) -> None:  # noqa: ANN401 (boto3 has no types)
        self._queue_url = queue_url
        self._client = client or create_client("sqs")

    def keep(self, record: StreamRecord, reason: str) -> None:
        """Send the place of a record and its user, without its images, because they contain encrypted secrets.

        ``DDBStreamBatchInfo`` has the form of Lambda's own messages, so that one procedure serves both kinds.

        Raises
        ------
        ServiceUnavailableError
            SQS refused, throttled, timed out or could not be reached.
        """
        message = {
            "condition": "RecordUnreadable",
            "reason": reason,
            "user_id": user_id_of(record),
            "stream_event_id": record.get("eventID"),
            "event_name": record.get("eventName"),
            "DDBStreamBatchInfo": {
                "streamArn": record.get("eventSourceARN"),
                "startSequenceNumber": sequence_number(record),
                "endSequenceNumber": sequence_number(record),
                "batchSize": 1,
            },
        }
        with failing_closed("sqs:SendMessage"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(message))
