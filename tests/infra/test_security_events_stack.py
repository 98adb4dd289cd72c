"""Security events: the event source, the permissions and the dead-letter queue of their function."""

import json
from typing import Any

import pytest

from tests.infra.synthesis import Stack, Synthesized, synthesize

QUEUE = "<AWS::SQS::Queue Arn>"
STREAM = "<AWS::DynamoDB::GlobalTable StreamArn>"
OTHER_BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/security"


@pytest.fixture
def stack(dev: Synthesized) -> Stack:
    return dev.service


def mapping(stack: Stack) -> dict[str, Any]:
    (properties,) = stack.properties_of("AWS::Lambda::EventSourceMapping")
    return properties


def test_the_live_alias_reads_the_stream_from_its_start(stack: Stack) -> None:
    found = mapping(stack)

    assert found["EventSourceArn"] == STREAM
    assert found["FunctionName"].startswith("<AWS::Lambda::Alias")
    assert found["StartingPosition"] == "TRIM_HORIZON"


def test_the_function_gets_every_change_of_second_factors_and_no_other(stack: Stack) -> None:
    (only,) = mapping(stack)["FilterCriteria"]["Filters"]

    assert json.loads(only["Pattern"]) == {"dynamodb": {"Keys": {"sk": {"S": ["MFA#SECRET"]}}}}


def test_a_failed_batch_is_retried_within_limits_and_then_kept(stack: Stack) -> None:
    found = mapping(stack)

    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["BisectBatchOnFunctionError"] is True
    # A stream keeps records for 24 hours: afterwards there is time to send them again.
    assert 3600 <= found["MaximumRecordAgeInSeconds"] <= 12 * 3600
    assert 0 < found["MaximumRetryAttempts"] <= 10_000
    assert found["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}


def test_dead_letters_need_tls(stack: Stack) -> None:
    (policy,) = stack.properties_of("AWS::SQS::QueuePolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == {"AWS": "*"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == QUEUE


def test_dead_letters_outlive_the_stack_in_prod(dev: Synthesized, prod: Synthesized) -> None:
    assert prod.service.only("AWS::SQS::Queue")["DeletionPolicy"] == "RetainExceptOnCreate"
    assert dev.service.only("AWS::SQS::Queue")["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize(
    ("settings", "bus"),
    [
        ({}, "arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/default"),
        ({"event_bus": "security"}, "arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/security"),
        ({"event_bus": OTHER_BUS}, OTHER_BUS),
    ],
    ids=["the default bus", "a bus by name", "a bus by ARN"],
)
def test_its_role_may_write_to_the_configured_bus_only(settings: dict[str, str], bus: str) -> None:
    stack = synthesize("dev", **settings).service
    allowed = [each["Resource"] for each in stack.granted("security_events") if each["Action"] == "events:PutEvents"]

    assert allowed == [bus]
    assert stack.variables("security_events")["EVENT_BUS_NAME"] == settings.get("event_bus", "default")


def test_prod_has_a_bus_of_its_own(prod: Synthesized) -> None:
    (bus,) = prod.service.properties_of("AWS::Events::EventBus")
    allowed = [each["Resource"] for each in prod.service.granted("security_events") if "PutEvents" in each["Action"]]

    assert bus["Name"] == "mfa-prod-security-events"
    assert allowed == ["<AWS::Events::EventBus Arn>"]
    assert prod.service.variables("security_events")["EVENT_BUS_NAME"] == "<AWS::Events::EventBus>"


def test_a_configured_bus_is_not_created() -> None:
    assert not synthesize("prod", event_bus="default").service.resources("AWS::Events::EventBus")


def test_its_role_may_use_the_tables_own_key() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0b7b3d0e-6a52-4ad3-8d2c-6d0d8f6f2f11"
    stream = "arn:aws:dynamodb:us-east-1:123456789012:table/users/stream/2026-01-01T00:00:00.000"
    table = {"users_table_name": "users", "users_table_key_arn": key, "users_table_stream_arn": stream}
    granted = synthesize("dev", **table).service.granted("security_events")

    (statement,) = (each for each in granted if each["Resource"] == key)
    assert statement["Action"] == ["kms:Decrypt", "kms:DescribeKey"]
