"""Every policy statement fits AWS's service authorization reference."""

from typing import Any, Final

import pytest

from tests.infra.deployments import DEPLOYMENTS, deployment
from tests.infra.policy_reference import findings, statements
from tests.infra.synthesis import Stack

STREAM: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/sample/stream/sample"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_statement_of_every_policy_fits_the_reference(name: str) -> None:
    checked = {stack: [*statements(found)] for stack, found in deployment(name).stacks_by_name.items()}

    assert [finding for found in checked.values() for statement in found for finding in findings(statement)] == []
    # The user pool has no policy, nor have dev's alarms, which notify no topic.
    without = {f"mfa-{DEPLOYMENTS[name]['environment']}-identity", "mfa-dev-monitoring"}
    assert {stack for stack, found in checked.items() if not found} <= without


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
        ({"Action": "kms:Unseal", "Resource": KEY}, "does not exist"),
        ({"Action": "seals:Decrypt", "Resource": KEY}, "does not exist"),
        ({"Action": "kms:Seal*", "Resource": KEY}, "does not exist"),
        ({"Action": "kms:Decrypt", "Resource": TABLE}, "does not apply to arn:aws:dynamodb"),
        ({"Action": "kms:Decrypt", "Resource": "*"}, "does not apply to *"),
        ({"Action": ["dynamodb:GetItem"], "Resource": [TABLE, STREAM]}, f"does not apply to {STREAM}"),
        ({"Action": "cloudwatch:PutMetricData", "Resource": TABLE}, "does not apply to arn:aws:dynamodb"),
        (
            {"Action": "kms:Decrypt", "Resource": KEY, "Condition": {"StringEquals": {"kms:SigningAlgorithm": "x"}}},
            "has no condition key kms:SigningAlgorithm",
        ),
        (
            {"Action": "kms:Sign", "Resource": KEY, "Condition": {"StringEquals": {"aws:Purpose": "x"}}},
            "has no condition key aws:Purpose",
        ),
    ],
)
def test_a_statement_that_does_not_fit_is_found(policy: dict[str, Any], problem: str) -> None:
    (statement,) = statements(stack_with(Effect="Allow", **policy))
    (finding,) = findings(statement)

    assert finding.startswith(f"Policy: {statement.actions[0]} {problem}")


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
