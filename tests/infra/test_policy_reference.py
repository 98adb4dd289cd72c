"""Every policy statement fits AWS's service authorization reference."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.infra.policy_reference import Finding, findings, statements
from tests.infra.snapshot import VARIANTS
from tests.infra.synthesis import Stack, synthesize

REPLICA_KEY: Final = "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"
#: The service of a second region, with the replicas of table and key.
SECOND_REGION: Final = {
    "environment": "prod",
    "region": "us-west-2",
    "users_table_name": "mfa-prod-users",
    "secret_key_arn": REPLICA_KEY,
    "jwt_issuer": "https://login.example.com",
    "jwt_jwks_url": "https://login.example.com/keys",
    "jwt_audience": "mfa",
}
DEPLOYMENTS: Final = {**VARIANTS, "second-region": SECOND_REGION}

STREAM: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/sample/stream/sample"
#: Accepted findings, each with its reason.
ACKNOWLEDGED: Final[Mapping[Finding, str]] = {}


@pytest.mark.parametrize("settings", DEPLOYMENTS.values(), ids=DEPLOYMENTS.keys())
def test_every_statement_of_every_policy_fits_the_reference(settings: Mapping[str, str]) -> None:
    stacks = synthesize(**settings).stacks_by_name
    checked = {name: [*statements(stack)] for name, stack in stacks.items()}

    assert [
        (stack, statement.where, finding)
        for stack, found in checked.items()
        for statement in found
        for finding in findings(statement)
        if finding not in ACKNOWLEDGED
    ] == []
    # The user pool has no policy, nor have dev's alarms, which notify no topic.
    without = {f"mfa-{settings['environment']}-identity", "mfa-dev-monitoring"}
    assert {name for name, found in checked.items() if not found} <= without


def test_every_acknowledgement_is_needed() -> None:
    found = {
        finding
        for settings in DEPLOYMENTS.values()
        for stack in synthesize(**settings).stacks_by_name.values()
        for statement in statements(stack)
        for finding in findings(statement)
    }

    assert found == ACKNOWLEDGED.keys()


KEY: Final = {"Fn::GetAtt": ["Key", "Arn"]}
TABLE: Final = {"Fn::GetAtt": ["Table", "Arn"]}


def stack_with(**policy: Any) -> Stack:
    role = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": [policy]}}}
    resources = {
        "Policy": role,
        "Key": {"Type": "AWS::KMS::Key"},
        "Table": {"Type": "AWS::DynamoDB::GlobalTable"},
    }
    return Stack({"Resources": resources}, {}, {})


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ({"Action": "kms:Unseal", "Resource": KEY}, "the action does not exist"),
        ({"Action": "seals:Decrypt", "Resource": KEY}, "the action does not exist"),
        ({"Action": "kms:Seal*", "Resource": KEY}, "the action does not exist"),
        ({"Action": "kms:Decrypt", "Resource": TABLE}, "the action does not apply to arn:aws:dynamodb"),
        ({"Action": "kms:Decrypt", "Resource": "*"}, "the action does not apply to *"),
        ({"Action": ["dynamodb:GetItem"], "Resource": [TABLE, STREAM]}, f"the action does not apply to {STREAM}"),
        ({"Action": "cloudwatch:PutMetricData", "Resource": TABLE}, "the action does not apply to arn:aws:dynamodb"),
        (
            {"Action": "kms:Decrypt", "Resource": KEY, "Condition": {"StringEquals": {"kms:SigningAlgorithm": "x"}}},
            "the action has no condition key kms:SigningAlgorithm",
        ),
        (
            {"Action": "kms:Sign", "Resource": KEY, "Condition": {"StringEquals": {"aws:Purpose": "x"}}},
            "the action has no condition key aws:Purpose",
        ),
    ],
)
def test_a_statement_that_does_not_fit_is_found(policy: dict[str, Any], problem: str) -> None:
    (statement,) = statements(stack_with(Effect="Allow", **policy))
    (finding,) = findings(statement)

    assert finding.problem.startswith(problem)


@pytest.mark.parametrize(
    "policy",
    [
        {"Action": "kms:Sign", "Resource": KEY, "Condition": {"StringEquals": {"kms:SigningAlgorithm": "x"}}},
        {"Action": "kms:GenerateDataKey*", "Resource": KEY, "Condition": {"Bool": {"AWS:SecureTransport": "true"}}},
        {"Action": "cloudwatch:PutMetricData", "Resource": "*"},
        {"Action": "kms:Decrypt", "Resource": KEY, "Condition": {"StringEquals": {"kms:EncryptionContext:p": "x"}}},
    ],
)
def test_a_statement_that_fits_is_not_found(policy: dict[str, Any]) -> None:
    (statement,) = statements(stack_with(Effect="Allow", **policy))

    assert not list(findings(statement))
