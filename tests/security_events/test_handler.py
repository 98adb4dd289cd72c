"""The function through its Lambda handler, fed with what the routes really write."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from functions.security_events.errors import BatchFailedError
from functions.shared.contract import Env
from functions.shared.settings import ConfigurationError
from tests.support.aws_calls import raising
from tests.support.embedded_aws import REGION, EmbeddedAws
from tests.support.life_cycle import User
from tests.support.metrics import Emitted, emitted_metrics
from tests.support.stream_records import damaged, enabling, login, published_by, stream_record

type Load = Callable[[str], ModuleType]


@pytest.fixture
def queue_url(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the dead-letter queue, and let the function know it."""
    url = str(boto3.client("sqs", region_name=REGION).create_queue(QueueName="dead-letters")["QueueUrl"])
    monkeypatch.setenv(Env.DEAD_LETTER_QUEUE_URL, url)
    return url


@pytest.fixture
def handler(queue_url: str, load_handler: Load) -> ModuleType:
    return load_handler("security_events")


@pytest.fixture
def events(handler: ModuleType) -> list[dict[str, Any]]:
    """Return a list that grows by each event that reaches the bus, with its detail parsed."""
    return published_by(handler.delivery._bus._client)


def details(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(event["Detail"]) for event in events]


@pytest.fixture
def written(aws: EmbeddedAws, user: User) -> Callable[[], dict[str, Any] | None]:
    """Return a function that gives the record of what was written to the user's item since it was last called."""
    before = aws.item(user.user_id)

    def record() -> dict[str, Any] | None:
        nonlocal before
        old, before = before, aws.item(user.user_id)
        return None if old == before else stream_record(old, before, written_at=user.now)

    return record


def respond(handler: ModuleType, *records: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = handler.lambda_handler({"Records": [*records]}, None)
    return response


def test_a_whole_life_is_told_in_its_order(
    aws: EmbeddedAws,
    handler: ModuleType,
    events: list[dict[str, Any]],
    user: User,
    written: Callable[[], dict[str, Any] | None],
) -> None:
    records = []
    writers: list[str] = []

    def act(answer: Any, status: int) -> None:
        assert answer.status == status
        record = written()
        assert record is not None
        records.append(record)
        writers.append(str((aws.item(user.user_id) or {}).get("last_request_id", {}).get("S")))

    act(user.setup(), 200)
    act(user.verify_setup(), 200)
    user.wait()
    act(user.verify(), 200)
    act(user.verify_backup(user.backup_codes[3]), 200)
    user.wait()
    act(user.regenerate(), 200)
    act(user.verify_backup("BCDF-0000"), 400)
    act(user.verify_backup(user.backup_codes[0]), 200)
    for _ in range(5):
        act(user.verify(user.wrong_code()), 400)
    assert user.verify().status == 429
    assert written() is None
    user.wait(61)
    act(user.disable(), 200)

    assert respond(handler, *records) == {"batchItemFailures": []}

    assert [event["DetailType"] for event in events] == [
        "MFAEnabled",
        "BackupCodeUsed",
        "BackupCodesRegenerated",
        "BackupCodeUsed",
        "MFAUsedAfterFailures",
        "MFALocked",
        "MFADisabled",
    ]
    told = details(events)
    assert {detail["user_id"] for detail in told} == {"user-1"}
    assert {detail["environment"] for detail in told} == {"dev"}
    by = [writers[1], writers[3], writers[4], writers[6], writers[6], writers[11], None]
    assert [detail["request_id"] for detail in told] == by
    assert len(set(by)) == 6
    assert told[1]["backup_codes_remaining"] == 7
    assert told[2]["backup_codes_remaining"] == 8
    assert (told[4]["factor"], told[4]["failed_attempts"]) == ("backup_code", 1)
    assert (told[5]["factor"], told[5]["failed_attempts"]) == ("totp", 5)
    assert told[6]["actor"] == "user"
    assert [secret for secret in (user.secret, *user.backup_codes) if secret in str(events)] == []


def test_a_bus_that_is_down_holds_the_batch_from_its_first_event_on(aws: EmbeddedAws, handler: ModuleType) -> None:
    unreachable = raising(EndpointConnectionError(endpoint_url="https://events.example"))
    records = [login("a"), enabling("b"), enabling("c")]
    with aws.calls.recorded({"events:PutEvents": unreachable}):
        response = respond(handler, *records)
    assert response == {"batchItemFailures": [{"itemIdentifier": records[1]["dynamodb"]["SequenceNumber"]}]}


def test_a_damaged_record_goes_to_the_queue_and_holds_up_nobody(
    handler: ModuleType, events: list[dict[str, Any]], queue_url: str, emitted: Emitted
) -> None:
    emitted()
    assert respond(handler, damaged("a"), enabling("b")) == {"batchItemFailures": []}
    assert [detail["user_id"] for detail in details(events)] == ["b"]
    (letter,) = boto3.client("sqs", region_name=REGION).receive_message(QueueUrl=queue_url)["Messages"]
    assert json.loads(letter["Body"])["user_id"] == "a"
    assert emitted() == {"SecurityEventFailures": 1, "SecurityEventsPublished": 1, "MFARecordsTampered": 1}


@pytest.mark.usefixtures("queue_url")
def test_an_unforeseen_failure_fails_the_batch_without_a_word_of_its_content(
    load_handler: Load, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = load_handler("security_events")

    def fail(*_: object) -> None:
        raise RuntimeError("the secret detail")

    monkeypatch.setattr(handler.delivery, "deliver", fail)
    capsys.readouterr()
    with pytest.raises(BatchFailedError) as caught:
        respond(handler, enabling())
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert "the secret detail" not in logged + str(caught.value)
    assert caught.value.__suppress_context__
    assert emitted_metrics(logged, environment="dev") == {"SecurityEventFailures": 1}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEAD_LETTER_QUEUE_URL", ""),
        ("DEAD_LETTER_QUEUE_URL", "arn:aws:sqs:us-east-1:123456789012:dead-letters"),
        ("EVENT_BUS_NAME", "no bus"),
        ("ENVIRONMENT", ""),
        ("LOG_LEVEL", "LOUD"),
    ],
)
@pytest.mark.usefixtures("queue_url")
def test_wrong_configuration_fails_at_start_up_and_names_the_variable(
    load_handler: Load, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        load_handler("security_events")
