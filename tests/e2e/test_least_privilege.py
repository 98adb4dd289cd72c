"""Each function's role allows what its function needs, and nothing else."""

from functools import partial
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e.privileges import (
    DENIED,
    DONE,
    ITEM,
    absent,
    all_calls,
    attempts,
    is_harmless,
    outcome,
    role_of,
    target,
)
from tests.support.least_privilege import MAY, MAY_ON_PROOF_KEYS
from tests.support.stack import Aws

#: The key's own policy denies these.
DENIED_BY_KEY_POLICY = {
    *("kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom"),
    # To everybody but the service's roles; an administrator may seal, for imports.
    "kms:Decrypt",
    *("kms:Sign", "kms:Sign by another algorithm", "kms:GetPublicKey"),
}


@pytest.mark.parametrize("function", sorted(MAY))
def test_a_role_may_do_what_the_design_lists_and_nothing_else(function: str, aws: Aws, stack: Stack) -> None:
    tried = attempts(aws, stack, function)
    may = MAY[function] | MAY_ON_PROOF_KEYS.get(function, frozenset())
    assert {name: came for name, came in tried.items() if came != DENIED} == dict.fromkeys(may, DONE)


def test_every_function_is_tried(stack: Stack) -> None:
    assert set(MAY) == set(stack.functions)


def test_an_administrator_is_not_denied_so_that_a_denial_comes_from_the_role(aws: Aws, stack: Stack) -> None:
    """Calls that would harm the stack name resources that do not exist."""
    real = target(aws, stack, "mfa_status")
    there, elsewhere = all_calls(aws.client, real), all_calls(aws.client, absent(real))
    came = {name: outcome(call if is_harmless(name) else elsewhere[name]) for name, call in there.items()}
    assert {name for name in came if came[name] == DENIED} == DENIED_BY_KEY_POLICY


@pytest.mark.parametrize("function", sorted(MAY))
def test_only_lambda_may_assume_a_role(function: str, aws: Aws, stack: Stack) -> None:
    role = role_of(aws, stack.functions[function])
    assert outcome(lambda: aws.client("sts").assume_role(RoleArn=role, RoleSessionName="mine")) == DENIED


@pytest.mark.parametrize("context", [{"purpose": "other"}, {}], ids=["another purpose", "none"])
def test_a_role_may_use_the_key_for_this_purpose_alone(context: dict[str, str], aws: Aws, stack: Stack) -> None:
    on = target(aws, stack, "verify_mfa")
    setup, verify = aws.client_as("setup_mfa", "kms"), aws.client_as("verify_mfa", "kms")
    sealing = outcome(lambda: setup.generate_data_key(KeyId=on.key, KeySpec="AES_256", EncryptionContext=context))
    opening = outcome(lambda: verify.decrypt(CiphertextBlob=on.data_key, KeyId=on.key, EncryptionContext=context))
    assert (sealing, opening) == (DENIED, DENIED)


@pytest.mark.parametrize("function", sorted(name for name in MAY if "dynamodb:PutItem" in MAY[name]))
@pytest.mark.parametrize(
    "asked",
    [
        {"Item": {"pk": {"S": "GROUP#privileges"}, "sk": ITEM["sk"]}},
        {"Item": ITEM | {"enabled_at": {"S": "2027-01-15T08:00:00Z"}}},
        {"Item": ITEM | {"last_used_step": {"N": "1"}}},
        {"Item": ITEM, "ReturnValues": "ALL_OLD"},
    ],
    ids=["another key", "an enabled item", "a used code", "the old item"],
)
def test_a_role_may_only_put_enrolments(function: str, asked: dict[str, Any], aws: Aws, stack: Stack) -> None:
    dynamodb = aws.client_as(function, "dynamodb")
    assert outcome(lambda: dynamodb.put_item(TableName=stack.table_name, **asked)) == DENIED


def test_a_role_may_not_touch_items_of_others_in_the_table(aws: Aws, stack: Stack) -> None:
    other = {"TableName": stack.table_name, "Key": {"pk": {"S": "GROUP#privileges"}, "sk": ITEM["sk"]}}
    for function, may in MAY.items():
        dynamodb = aws.client_as(function, "dynamodb")
        for action, call in (
            ("dynamodb:GetItem", dynamodb.get_item),
            ("dynamodb:UpdateItem", dynamodb.update_item),
            ("dynamodb:DeleteItem", dynamodb.delete_item),
        ):
            if action in may:
                assert outcome(partial(call, **other)) == DENIED, (function, action)
