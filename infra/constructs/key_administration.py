"""What the keys of this service have in common: their administrators, and how long a deletion can be cancelled."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam

from infra.config import Config

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
