"""Security events reach a subscriber of the event bus."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from botocore.exceptions import ClientError

from functions.shared.clock import epoch_from_iso
from functions.shared.contract import EVENT_SOURCE, PENDING_ATTRIBUTES, SECURITY_EVENTS_FUNCTION, lambda_name
from infra.outputs import dead_letter_queue_name
from local.stack import Stack
from tests.support.http_user import HttpUser, NewUser
from tests.support.stack import Aws
from tests.support.subscriber import Subscriber
from tests.support.temporary_queue import receive


@pytest.fixture
def subscribe(aws: Aws) -> Iterator[Callable[[HttpUser], Subscriber]]:
    """Return a function that subscribes to a user's events until the end of the test."""
    with ExitStack() as subscriptions:

        def subscribe_to(user: HttpUser) -> Subscriber:
            pattern = {"source": [EVENT_SOURCE], "detail": {"user_id": [user.user_id]}}
            return subscriptions.enter_context(Subscriber(aws, pattern).subscribed())

        yield subscribe_to


def test_every_event_arrives_once_in_order_and_complete(
    stack: Stack, new_user: NewUser, subscribe: Callable[[HttpUser], Subscriber]
) -> None:
    user = new_user("events-life@example.com")
    subscriber = subscribe(user)
    began = int(time.time())
    user.fresh_time_step()

    user.enrol()
    assert user.verify().status == 200
    assert user.verify_backup(user.backup_codes[0]).status == 200
    used = user.backup_codes
    assert user.regenerate(user.code(steps=1)).status == 200
    refusals = [user.verify(user.wrong_code()) for _ in range(5)]
    assert {refusal.status for refusal in refusals} == {400}
    assert user.verify().status == 429
    assert user.disable(backupCode=user.backup_codes[0]).status == 200

    events = subscriber.wait_for(5)
    assert [event["detail-type"] for event in events] == [
        "MFAEnabled",
        "BackupCodeUsed",
        "BackupCodesRegenerated",
        "MFALocked",
        "MFADisabled",
    ]
    details = [event["detail"] for event in events]
    for detail in details:
        assert detail["version"] == 1
        assert detail["environment"] == stack.environment
        assert detail["user_id"] == user.user_id
        assert began <= epoch_from_iso(detail["occurred_at"]) <= time.time()
    assert len({detail["event_id"] for detail in details}) == 5
    enabled, code_used, regenerated, locked, disabled = details
    assert enabled["request_id"]
    assert code_used["backup_codes_remaining"] == 7
    assert regenerated["backup_codes_remaining"] == 8
    assert (locked["factor"], locked["failed_attempts"]) == ("totp", 5)
    assert 50 <= epoch_from_iso(locked["locked_until"]) - epoch_from_iso(locked["occurred_at"]) <= 60
    assert locked["request_id"] == refusals[-1].body["request_id"]
    assert (disabled["actor"], disabled["request_id"]) == ("user", None)
    heard = json.dumps(events)
    assert [secret for secret in (user.secret, *used, *user.backup_codes) if secret in heard] == []


def test_setups_role_cannot_replace_a_secret_unseen(
    stack: Stack, aws: Aws, new_user: NewUser, subscribe: Callable[[HttpUser], Subscriber]
) -> None:
    """An attacker with the role reads an item through a failing condition, and overwrites it with a secret of theirs.

    IAM cannot prevent either. It prevents putting the old item back, and the stream shows what happened.
    """
    user = new_user("events-tampered@example.com")
    subscriber = subscribe(user)
    user.enrol()
    thief = aws.client_as("setup_mfa", "dynamodb")
    pending = {"pk": {"S": f"USER#{user.user_id}"}, "sk": {"S": "MFA#SECRET"}}
    with pytest.raises(thief.exceptions.ConditionalCheckFailedException) as failed:
        thief.put_item(
            TableName=stack.table_name,
            Item=pending,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    old = failed.value.response["Item"]
    theirs = {name: old[name] for name in PENDING_ATTRIBUTES if name in old} | {"encrypted_secret": {"S": "dGhlaXJz"}}
    thief.put_item(TableName=stack.table_name, Item=theirs)
    with pytest.raises(ClientError, match="AccessDenied"):
        thief.put_item(TableName=stack.table_name, Item=old)

    tampered = subscriber.wait_for(2)[1]
    assert tampered["detail-type"] == "MFARecordTampered"
    assert tampered["detail"]["changed"] == "enabled_at,encrypted_secret,last_used_step"
    user.forget()


def test_a_counter_that_somebody_lowers_is_reported(
    new_user: NewUser, subscribe: Callable[[HttpUser], Subscriber]
) -> None:
    user = new_user("events-lowered@example.com")
    subscriber = subscribe(user)
    user.enrol()
    for _ in range(4):
        assert user.verify(user.wrong_code()).status == 400
    user.set(failed_attempts={"N": "0"})
    tampered = subscriber.wait_for(2)[1]
    assert (tampered["detail-type"], tampered["detail"]["changed"]) == ("MFARecordTampered", "failed_attempts")


def test_a_login_after_wrong_codes_says_so_to_the_user_and_the_subscribers(
    new_user: NewUser, subscribe: Callable[[HttpUser], Subscriber]
) -> None:
    user = new_user("events-after-failures@example.com")
    subscriber = subscribe(user)
    user.fresh_time_step()
    user.enrol()
    for _ in range(4):
        assert user.verify(user.wrong_code()).status == 400
    body = user.verify().body
    used = subscriber.wait_for(2)[1]
    assert used["detail-type"] == "MFAUsedAfterFailures"
    assert body["failedAttempts"] == used["detail"]["failed_attempts"] == 4
    assert body["lastFailedAttemptAt"] == used["detail"]["last_failed_at"]


def test_events_are_delivered_after_an_outage_of_the_bus(
    stack: Stack, aws: Aws, new_user: NewUser, subscribe: Callable[[HttpUser], Subscriber]
) -> None:
    user = new_user("events-refused@example.com")
    subscriber = subscribe(user)
    with bus_closed(stack, aws):
        user.enrol()
        assert user.verify_backup(user.backup_codes[0]).status == 200
        assert subscriber.receives_nothing()
    events = subscriber.wait_for(2)
    assert [event["detail-type"] for event in events] == ["MFAEnabled", "BackupCodeUsed"]


def test_an_unreadable_record_goes_to_the_queue_and_delays_no_other(
    stack: Stack, aws: Aws, new_user: NewUser, subscribe: Callable[[HttpUser], Subscriber]
) -> None:
    damaged, other = new_user("events-damaged@example.com"), new_user("events-after@example.com")
    subscriber = subscribe(other)
    queues = aws.client("sqs")
    letters = queues.get_queue_url(QueueName=dead_letter_queue_name(stack.environment))["QueueUrl"]
    while receive(queues, letters, wait=0):  # from an earlier run
        pass
    damaged.enrol()
    damaged.set(failed_attempts={"S": "three"})
    other.enrol()

    (enabled,) = subscriber.wait_for(1)
    assert enabled["detail-type"] == "MFAEnabled"
    (letter,) = (json.loads(body) for body in receive(queues, letters, wait=5))
    assert letter["user_id"] == damaged.user_id
    assert letter["reason"] == "RecordDamagedError"
    assert letter["DDBStreamBatchInfo"]["batchSize"] == 1
    damaged.forget()


@contextmanager
def bus_closed(stack: Stack, aws: Aws) -> Iterator[None]:
    """Forbid the function to publish during a block."""
    iam, functions = aws.client("iam"), aws.client("lambda")
    configuration = functions.get_function_configuration(
        FunctionName=lambda_name(SECURITY_EVENTS_FUNCTION, stack.environment)
    )
    policy = {"RoleName": configuration["Role"].rpartition("/")[2], "PolicyName": "closed"}
    statement = {"Effect": "Deny", "Action": "events:PutEvents", "Resource": "*"}
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        yield
    finally:
        iam.delete_role_policy(**policy)
