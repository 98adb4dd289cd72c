"""A table and a key that exist already take the place of new ones."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from infra.outputs import StackId
from tests.infra.synthesis import Stack, Synthesized, synthesize
from tests.infra.test_data import KEY as KEY_TYPE
from tests.infra.test_data import TABLE as TABLE_TYPE
from tests.infra.test_functions import variables
from tests.infra.test_permissions import FOR_TOTP_SECRETS, policies_by_role, role_of
from tests.infra.test_rules import cfn_lint, nag_findings

SECRET_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TABLE_KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-12ab-34cd-56ef-1234567890ab"
TABLE = {"users_table_name": "users"}
TABLE_ARN = "arn:aws:dynamodb:us-east-1:<AWS::AccountId>:table/users"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/users/stream/2026-01-01T00:00:00.000"
KEY = {"secret_key_arn": SECRET_KEY}
VIA_DYNAMODB = {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}}

type Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="module")
def prod_with() -> Synthesize:
    """Return a function that synthesizes prod with what exists, once for each."""
    return cache(lambda **settings: synthesize("prod", **settings))


def service(environment: Synthesized) -> Stack:
    return environment.stacks[StackId.SERVICE]


def granted(environment: Synthesized, function: str) -> list[dict[str, Any]]:
    return policies_by_role(environment)[role_of(environment, function, "prod")]


def statement_on(resource: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (each for each in statements if each["Resource"] == resource)
    return found


def test_a_table_that_exists_is_used_and_none_is_made(prod_with: Synthesize) -> None:
    environment = prod_with(**TABLE)
    data = environment.stacks[StackId.DATA]

    assert not data.resources(TABLE_TYPE)
    assert data.outputs == {"TableName": "users", "KeyArn": f"<{KEY_TYPE} Arn>"}
    assert variables(service(environment), "verify_mfa")["USERS_TABLE_NAME"] == "users"
    assert variables(service(environment), "verify_mfa")["MFA_ENCRYPTION_KEY"] == f"<{KEY_TYPE} Arn>"
    assert statement_on(TABLE_ARN, granted(environment, "setup_mfa"))["Action"] == "dynamodb:PutItem"


def test_a_key_that_exists_is_used_and_none_is_made(prod_with: Synthesize) -> None:
    environment = prod_with(**KEY)
    data = environment.stacks[StackId.DATA]

    assert data.resources(TABLE_TYPE)
    assert not data.resources(KEY_TYPE)
    assert not data.resources("AWS::KMS::Alias")
    assert data.outputs["KeyArn"] == SECRET_KEY
    assert variables(service(environment), "setup_mfa")["MFA_ENCRYPTION_KEY"] == SECRET_KEY
    for function, action in {"setup_mfa": "kms:GenerateDataKey", "verify_mfa": "kms:Decrypt"}.items():
        found = statement_on(SECRET_KEY, granted(environment, function))
        assert found == {"Effect": "Allow", "Action": action, "Resource": SECRET_KEY, "Condition": FOR_TOTP_SECRETS}


def test_security_events_need_the_stream_of_a_table_that_exists(prod_with: Synthesize) -> None:
    without = service(prod_with(**TABLE))
    found = service(prod_with(**TABLE, users_table_stream_arn=STREAM, event_bus="security"))

    assert not without.resources("AWS::Lambda::EventSourceMapping")
    (mapping,) = found.properties_of("AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == STREAM
    assert variables(found, "security_events")["EVENT_BUS_NAME"] == "security"


def test_with_both_there_is_no_data_stack(prod_with: Synthesize) -> None:
    """CloudFormation takes no stack without resources, and CDK deletes one that has none left."""
    environment = prod_with(**TABLE, **KEY)

    assert StackId.DATA not in environment.stacks
    assert environment.stage.data is None
    found = variables(service(environment), "disable_mfa")
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
def test_the_tables_own_key_may_be_used_through_dynamodb_alone(
    prod_with: Synthesize, function: str, actions: list[str]
) -> None:
    found = statement_on(TABLE_KEY, granted(prod_with(**TABLE, users_table_key_arn=TABLE_KEY), function))

    assert found == {"Effect": "Allow", "Action": actions, "Resource": TABLE_KEY, "Condition": VIA_DYNAMODB}


def test_who_does_not_touch_the_table_gets_nothing_on_its_key(prod_with: Synthesize) -> None:
    assert TABLE_KEY not in str(granted(prod_with(**TABLE, users_table_key_arn=TABLE_KEY), "jwt_authorizer"))


@pytest.mark.parametrize("settings", [TABLE, KEY, TABLE | KEY | {"users_table_key_arn": TABLE_KEY}])
def test_cdk_nag_and_cfn_lint_find_nothing(prod_with: Synthesize, settings: Mapping[str, str]) -> None:
    environment = prod_with(**settings)

    assert nag_findings(environment) == []
    finished = cfn_lint(*environment.templates)
    assert (finished.returncode, finished.stdout) == (0, "")
