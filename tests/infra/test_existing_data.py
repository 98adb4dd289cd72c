"""An existing table and an existing key are used instead of new ones."""

from typing import Any

import pytest

from infra.outputs import StackId
from tests.infra.synthesis import synthesize
from tests.infra.test_data import KEY as KEY_TYPE
from tests.infra.test_data import TABLE as TABLE_TYPE
from tests.infra.test_permissions import FOR_TOTP_SECRETS

SECRET_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TABLE_KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-12ab-34cd-56ef-1234567890ab"
TABLE = {"users_table_name": "users"}
TABLE_ARN = "arn:aws:dynamodb:us-east-1:<AWS::AccountId>:table/users"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/users/stream/2026-01-01T00:00:00.000"
KEY = {"secret_key_arn": SECRET_KEY}
VIA_DYNAMODB = {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}}


def statement_on(resource: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (each for each in statements if each["Resource"] == resource)
    return found


def test_uses_an_existing_table() -> None:
    environment = synthesize("prod", **TABLE)
    data = environment.data

    assert not data.resources(TABLE_TYPE)
    assert data.outputs == {"TableName": "users", "KeyArn": f"<{KEY_TYPE} Arn>"}
    assert environment.service.variables("verify_mfa")["USERS_TABLE_NAME"] == "users"
    assert environment.service.variables("verify_mfa")["MFA_ENCRYPTION_KEY"] == f"<{KEY_TYPE} Arn>"
    assert statement_on(TABLE_ARN, environment.service.granted("setup_mfa"))["Action"] == "dynamodb:PutItem"


def test_uses_an_existing_key() -> None:
    environment = synthesize("prod", **KEY)
    data = environment.data

    assert data.resources(TABLE_TYPE)
    assert not data.resources(KEY_TYPE)
    assert not data.resources("AWS::KMS::Alias")
    assert data.outputs["KeyArn"] == SECRET_KEY
    assert environment.service.variables("setup_mfa")["MFA_ENCRYPTION_KEY"] == SECRET_KEY
    for function, action in {"setup_mfa": "kms:GenerateDataKey", "verify_mfa": "kms:Decrypt"}.items():
        found = statement_on(SECRET_KEY, environment.service.granted(function))
        assert found == {"Effect": "Allow", "Action": action, "Resource": SECRET_KEY, "Condition": FOR_TOTP_SECRETS}


def test_security_events_need_the_stream_of_an_existing_table() -> None:
    without = synthesize("prod", **TABLE).service
    found = synthesize("prod", **TABLE, users_table_stream_arn=STREAM, event_bus="security").service

    assert not without.resources("AWS::Lambda::EventSourceMapping")
    (mapping,) = found.properties_of("AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == STREAM
    assert found.variables("security_events")["EVENT_BUS_NAME"] == "security"


def test_with_both_there_is_no_data_stack() -> None:
    """CloudFormation refuses a stack without resources, and CDK deletes one that has none left."""
    environment = synthesize("prod", **TABLE, **KEY)

    assert StackId.DATA not in environment.stacks
    assert environment.stage.data is None
    found = environment.service.variables("disable_mfa")
    assert (found["USERS_TABLE_NAME"], found["MFA_ENCRYPTION_KEY"]) == ("users", SECRET_KEY)


@pytest.mark.parametrize(
    ("function", "actions"),
    [
        ("mfa_status", ["kms:Decrypt", "kms:DescribeKey"]),
        *(
            (
                function,
                [
                    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
                    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
                ],
            )
            for function in ("setup_mfa", "verify_mfa", "disable_mfa")
        ),
    ],
)
def test_the_tables_own_key_may_be_used_only_through_dynamodb(function: str, actions: list[str]) -> None:
    environment = synthesize("prod", **TABLE, users_table_key_arn=TABLE_KEY)
    found = statement_on(TABLE_KEY, environment.service.granted(function))

    assert found == {"Effect": "Allow", "Action": actions, "Resource": TABLE_KEY, "Condition": VIA_DYNAMODB}


def test_a_function_that_does_not_use_the_table_may_not_use_its_key() -> None:
    environment = synthesize("prod", **TABLE, users_table_key_arn=TABLE_KEY)
    assert TABLE_KEY not in str(environment.service.granted("jwt_authorizer"))
