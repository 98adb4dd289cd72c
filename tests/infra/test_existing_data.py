"""An existing table and an existing key are used instead of new ones."""

from typing import Any

import pytest

from infra.outputs import StackId
from tests.infra.deployments import (
    EXISTING_TABLE,
    OTHERWISE,
    REPLICA_KEY,
    SECOND_REGION,
    SECRET_KEY,
    TABLE_KEY,
    deployment,
)
from tests.infra.synthesis import synthesize
from tests.infra.test_data import KEY, TABLE
from tests.infra.test_permissions import FOR_TOTP_SECRETS, OWN_ITEMS

TABLE_ARN = "arn:aws:dynamodb:us-east-1:<AWS::AccountId>:table/users"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/users/stream/2026-01-01T00:00:00.000"
VIA_DYNAMODB = {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}}
READ = ["kms:Decrypt", "kms:DescribeKey"]
WRITE = ["kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]


def statement_on(resource: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (each for each in statements if each["Resource"] == resource)
    return found


def test_uses_an_existing_table() -> None:
    environment = deployment(EXISTING_TABLE)
    data = environment.data

    assert not data.resources(TABLE)
    assert data.outputs == {"TableName": "users", "KeyArn": f"<{KEY} Arn>"}
    assert environment.service.variables("verify_mfa")["USERS_TABLE_NAME"] == "users"
    assert environment.service.variables("verify_mfa")["MFA_ENCRYPTION_KEY"] == f"<{KEY} Arn>"
    assert statement_on(TABLE_ARN, environment.service.granted("setup_mfa"))["Action"] == "dynamodb:PutItem"


def test_uses_an_existing_key() -> None:
    environment = deployment(OTHERWISE)
    data = environment.data

    assert data.resources(TABLE)
    assert all("KeySpec" in key["Properties"] for key in data.resources(KEY).values())  # only those of the proof
    assert data.outputs["KeyArn"] == SECRET_KEY
    assert environment.service.variables("setup_mfa")["MFA_ENCRYPTION_KEY"] == SECRET_KEY
    for function, action in {"setup_mfa": "kms:GenerateDataKey", "verify_mfa": "kms:Decrypt"}.items():
        found = statement_on(SECRET_KEY, environment.service.granted(function))
        assert found == {"Effect": "Allow", "Action": action, "Resource": SECRET_KEY, "Condition": FOR_TOTP_SECRETS}


def test_with_both_there_is_no_data_stack_and_a_second_region_uses_its_replicas() -> None:
    """CloudFormation refuses a stack without resources, and CDK deletes one that has none left."""
    environment = deployment(SECOND_REGION)

    assert set(environment.stacks) == {StackId.SERVICE, StackId.MONITORING}
    assert environment.stage.data is None
    found, granted = environment.service.variables("verify_mfa"), environment.service.granted("verify_mfa")
    assert (found["USERS_TABLE_NAME"], found["MFA_ENCRYPTION_KEY"]) == ("mfa-prod-users", REPLICA_KEY)
    decrypt = {"Action": "kms:Decrypt", "Resource": REPLICA_KEY, "Condition": FOR_TOTP_SECRETS}
    table = "arn:aws:dynamodb:us-west-2:<AWS::AccountId>:table/mfa-prod-users"
    use = {"Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"], "Resource": table, "Condition": OWN_ITEMS}
    for expected in (decrypt, use):
        assert {"Effect": "Allow", **expected} in granted


@pytest.mark.parametrize(
    ("function", "actions"),
    [
        ("mfa_status", READ),
        *((function, [*READ, *WRITE]) for function in ("setup_mfa", "verify_mfa", "disable_mfa")),
    ],
)
def test_the_tables_own_key_may_be_used_only_through_dynamodb(function: str, actions: list[str]) -> None:
    found = statement_on(TABLE_KEY, deployment(EXISTING_TABLE).service.granted(function))

    assert found == {"Effect": "Allow", "Action": actions, "Resource": TABLE_KEY, "Condition": VIA_DYNAMODB}


def test_a_function_that_does_not_use_the_table_may_not_use_its_key() -> None:
    assert TABLE_KEY not in str(deployment(EXISTING_TABLE).service.granted("jwt_authorizer"))


def test_security_events_need_the_stream_of_an_existing_table() -> None:
    without = deployment(EXISTING_TABLE).service
    found = synthesize(
        "prod",
        users_table_name="users",
        users_table_key_arn=TABLE_KEY,
        users_table_stream_arn=STREAM,
        event_bus="security",
    ).service

    assert not without.resources("AWS::Lambda::EventSourceMapping")
    (mapping,) = found.properties_of("AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == STREAM
    assert statement_on(TABLE_KEY, found.granted("security_events"))["Action"] == READ
    # A configured bus is not created.
    assert not found.resources("AWS::Events::EventBus")
    assert found.variables("security_events")["EVENT_BUS_NAME"] == "security"
    bus = "arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/security"
    assert statement_on(bus, found.granted("security_events"))["Action"] == "events:PutEvents"
