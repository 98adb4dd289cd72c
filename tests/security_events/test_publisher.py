"""The bus and the queue, with their services' responses."""

import json

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from functions.security_events.models import SecurityEvent
from functions.security_events.publisher import EventBridgeBus, SqsDeadLetters
from functions.security_events.service import derive_events
from functions.security_events.stream import change_from_record
from functions.shared.errors import ServiceUnavailableError
from tests.support.aws_calls import AwsCalls, Failure, raising, refused
from tests.support.stream_records import STREAM_ARN, damaged, enabling, item, published_by

REGION = "us-east-1"


def events_of(*user_ids: str) -> list[SecurityEvent]:
    return [event for user_id in user_ids for event in derive_events(change_from_record(enabling(user_id)))]


class TestEventBridgeBus:
    @pytest.mark.usefixtures("aws")
    @pytest.mark.parametrize("bus", ["default", "arn:aws:events:us-east-1:123456789012:event-bus/default"])
    def test_an_event_goes_out_under_its_names(self, bus: str) -> None:
        client = boto3.client("events", region_name=REGION)
        entries = published_by(client)
        (event,) = events_of("user-1")
        assert EventBridgeBus(bus, environment="prod", client=client).publish([event]) == [None]
        (entry,) = entries
        assert entry["EventBusName"] == bus
        assert entry["Source"] == "ailifestyle.mfa"
        assert entry["DetailType"] == "MFAEnabled"
        assert entry["Time"].isoformat() == "2027-01-15T08:00:00+00:00"
        assert json.loads(entry["Detail"]) == event.detail("prod")

    def test_each_refused_entry_is_told_by_its_code(self) -> None:
        client = boto3.client("events", region_name=REGION)
        answer = {
            "FailedEntryCount": 1,
            "Entries": [
                {"EventId": "1"},
                {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"},
                {"EventId": "3"},
            ],
        }
        with Stubber(client) as stubber:
            stubber.add_response("put_events", answer)
            refusals = EventBridgeBus("default", environment="dev", client=client).publish(events_of("a", "b", "c"))
        assert refusals == [None, "ThrottlingException", None]

    @pytest.mark.usefixtures("aws")
    @pytest.mark.parametrize(
        ("failure", "reason"),
        [
            (refused("ThrottlingException"), "ThrottlingException"),
            (refused("AccessDeniedException"), "AccessDeniedException"),
            (raising(ConnectTimeoutError(endpoint_url="https://events.example")), "ConnectTimeoutError"),
        ],
    )
    def test_a_call_that_fails_is_a_refusal_of_every_event(self, failure: Failure, reason: str) -> None:
        bus = EventBridgeBus("default", environment="dev")
        with AwsCalls().recorded({"events:PutEvents": failure}) as made:
            assert bus.publish(events_of("a", "b")) == [reason, reason]
        assert set(made) == {"events:PutEvents"}


@pytest.mark.usefixtures("aws")
class TestSqsDeadLetters:
    def test_keeps_where_the_record_is_and_nothing_of_what_it_holds(self) -> None:
        queues = boto3.client("sqs", region_name=REGION)
        url = queues.create_queue(QueueName="dead-letters")["QueueUrl"]
        record = damaged("user-9")
        SqsDeadLetters(url).keep(record, "RecordDamagedError")
        (message,) = queues.receive_message(QueueUrl=url)["Messages"]
        assert json.loads(message["Body"]) == {
            "condition": "RecordUnreadable",
            "reason": "RecordDamagedError",
            "user_id": "user-9",
            "stream_event_id": record["eventID"],
            "event_name": "MODIFY",
            "DDBStreamBatchInfo": {
                "streamArn": STREAM_ARN,
                "startSequenceNumber": record["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": record["dynamodb"]["SequenceNumber"],
                "batchSize": 1,
            },
        }
        assert item()["encrypted_secret"]["S"] not in message["Body"]

    def test_a_queue_that_fails_is_told(self) -> None:
        unreachable = raising(ConnectTimeoutError(endpoint_url="https://sqs.example"))
        queue = SqsDeadLetters("https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters")
        with AwsCalls().recorded({"sqs:SendMessage": unreachable}), pytest.raises(ServiceUnavailableError):
            queue.keep(damaged(), "RecordDamagedError")
