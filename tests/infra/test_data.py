"""The table and the key, and their protection in each environment."""

from typing import Any

import pytest

from infra.config import PROD
from tests.infra.synthesis import Resource, Stack, Synthesized, synthesize

TABLE = "AWS::DynamoDB::GlobalTable"
KEY = "AWS::KMS::Key"


@pytest.fixture
def data(each: Synthesized) -> Stack:
    return each.data


def secret_key(data: Stack) -> Resource:
    """Return the key that encrypts the TOTP secrets, which has no algorithm for signatures."""
    (found,) = (each for each in data.resources(KEY).values() if "KeySpec" not in each["Properties"])
    return found


def replica(table: Resource) -> dict[str, Any]:
    (only,) = table["Properties"]["Replicas"]
    return dict(only)


def test_the_key_rotates_and_is_symmetric(data: Stack, environment: str) -> None:
    key = secret_key(data)["Properties"]

    assert key["EnableKeyRotation"] is True
    assert key["PendingWindowInDays"] == (30 if environment == PROD else 7)
    aliases = {each["AliasName"] for each in data.properties_of("AWS::KMS::Alias")}
    assert f"alias/mfa-{environment}-secrets" in aliases


def test_only_prod_keeps_its_data_and_resists_deletion(data: Stack, environment: str) -> None:
    protected = environment == PROD

    for resource in (data.only(TABLE), *data.resources(KEY).values()):
        assert resource["DeletionPolicy"] == ("RetainExceptOnCreate" if protected else "Delete")
        assert resource["UpdateReplacePolicy"] == ("Retain" if protected else "Delete")
    assert replica(data.only(TABLE))["DeletionProtectionEnabled"] is protected


def test_every_stack_of_prod_is_protected_against_termination(each: Synthesized, environment: str) -> None:
    for stack in each.stacks.values():
        assert stack.properties.get("terminationProtection", False) is (environment == PROD)


def test_the_keys_policy_separates_administration_from_use(prod: Synthesized) -> None:
    administration, use = prod.data.only(KEY)["Properties"]["KeyPolicy"]["Statement"]
    account = {"AWS": "arn:aws:iam::<AWS::AccountId>:root"}

    assert administration["Principal"] == use["Principal"] == account
    assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert use["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:purpose": "mfa-totp"},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::<AWS::AccountId>:role/mfa-prod-service-*"},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::<AWS::AccountId>:role/*/*"},
    }
    # No action that uses the key or delegates its use, and no wildcard that would include one.
    uses = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt", "CreateGrant", "GenerateMac", "Sign", "*")
    assert not [action for action in administration["Action"] if any(each in action for each in uses)]
    assert {"kms:PutKeyPolicy", "kms:DescribeKey", "kms:ScheduleKeyDeletion"} <= set(administration["Action"])


def test_the_table_is_created_last(data: Stack) -> None:
    """A protected table cannot be deleted if something after it fails, and its name blocks the next deployment."""
    (table,) = data.resources(TABLE)
    others = data.template["Resources"].keys() - {table}

    assert set(data.template["Resources"][table]["DependsOn"]) == others


def test_nothing_with_a_fixed_name_is_kept_if_its_creation_is_rolled_back(each: Synthesized) -> None:
    always_retained = [
        resource
        for stack in each.stacks.values()
        for resource in stack.template["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
    ]

    assert {resource["Type"] for resource in always_retained} == {"AWS::ApiGateway::Account", "AWS::IAM::Role"}
    assert not [each for each in always_retained if "RoleName" in each["Properties"]]


def test_a_role_for_imports_may_only_seal() -> None:
    role = "arn:aws:iam::123456789012:role/operator"
    policy = synthesize("prod", import_principals=role).data.only(KEY)["Properties"]["KeyPolicy"]["Statement"]

    assert policy[2]["Action"] == "kms:GenerateDataKey"
    assert policy[2]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:purpose": "mfa-totp"},
        "ArnLike": {"aws:PrincipalArn": [role]},
    }
