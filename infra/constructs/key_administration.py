"""What the keys of this service have in common: their administrators, and how long a deletion can be cancelled."""

from typing import Any, Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.config import Config
from infra.outputs import StackId, stack_name

#: What administrators may do, within their own IAM policies. The list excludes every use of the key, and
#: ``CreateGrant``, which would delegate a use without the conditions below.
_ADMINISTRATION: Final = (
    "kms:CancelKeyDeletion",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
    "kms:CreateAlias",
    "kms:DeleteAlias",
)


def administration() -> iam.PolicyStatement:
    """Return the statement of a key's policy that leaves its administration to IAM."""
    return iam.PolicyStatement(
        sid="AdministrationByIam",
        principals=[iam.AccountRootPrincipal()],
        actions=[*_ADMINISTRATION],
        resources=["*"],
    )


def service_roles(scope: Construct, config: Config) -> dict[str, Any]:
    """Return the condition that the principal is a role of the service stack.

    They are the names that CloudFormation gives to the stack's roles, in every region: the roles themselves are made
    after the key. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
    """
    service = stack_name(config.environment, StackId.SERVICE)
    roles = Stack.of(scope).format_arn(service="iam", region="", resource="role", resource_name=f"{service}-*")
    return {"ArnLike": {"aws:PrincipalArn": roles}}


def pending_window(config: Config) -> Duration:
    """Return how long the deletion of a key can be cancelled."""
    return Duration.days(30 if config.retain_data else 7)


def replication(config: Config) -> list[iam.PolicyStatement]:
    """Return the statement that allows replication, only to the configured regions."""
    if not config.replica_regions:
        return []
    return [
        iam.PolicyStatement(
            sid="ReplicationByIam",
            principals=[iam.AccountRootPrincipal()],
            actions=["kms:ReplicateKey"],
            resources=["*"],
            conditions={"StringEquals": {"kms:ReplicaRegion": [*config.replica_regions]}},
        )
    ]
