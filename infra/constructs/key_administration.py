"""What the keys of this service have in common: their policies' statements, their replicas, and their deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import Config
from infra.constructs.retention import removal_policy
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


@dataclass(frozen=True, kw_only=True)
class KeyDefinition:
    """What a key and its replicas have in common.

    Attributes
    ----------
    alias
        For operators; functions use the ARN of the key.
    description
        What it is for.
    statements
        The statements of its policy in every region.
    """

    alias: str
    description: str
    statements: Sequence[iam.PolicyStatement]


class KeyReplica(Construct):
    """A multi-region key in another region, with the same id. KMS copies the key material but not the policy.

    Parameters
    ----------
    config
        The environment's settings.
    primary_key_arn
        The key that is replicated.
    definition
        Alias, description and policy, as the primary has them. The primary's policy also allows replication.

    Attributes
    ----------
    key_arn
        ARN of the replica, which differs from the primary's only in the region.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        primary_key_arn: str,
        definition: KeyDefinition,
    ) -> None:
        super().__init__(scope, id)
        replica = kms.CfnReplicaKey(
            self,
            "Key",
            primary_key_arn=primary_key_arn,
            description=definition.description,
            key_policy=iam.PolicyDocument(statements=[*definition.statements]),
            pending_window_in_days=pending_window(config).to_days(),
        )
        replica.apply_removal_policy(removal_policy(config))
        kms.CfnAlias(self, "Alias", alias_name=definition.alias, target_key_id=replica.attr_key_id)
        self.key_arn: Final = replica.attr_arn


def allowed_by_iam(
    sid: str, actions: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> iam.PolicyStatement:
    """Return a statement of a key's policy that leaves actions to the IAM policies of the account."""
    return iam.PolicyStatement(
        sid=sid, principals=[iam.AccountRootPrincipal()], actions=[*actions], resources=["*"], conditions=conditions
    )


def administration() -> iam.PolicyStatement:
    """Return the statement of a key's policy that leaves its administration to IAM."""
    return allowed_by_iam("AdministrationByIam", _ADMINISTRATION)


def service_roles(scope: Construct, config: Config) -> dict[str, Any]:
    """Return the condition that the principal is a role of the service stack.

    They are the names that CloudFormation gives to the stack's roles, in every region: the roles themselves are made
    after the key. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html

    A wildcard also matches slashes, and a role's path precedes its name. These roles have no path.
    """
    service = stack_name(config.environment, StackId.SERVICE)
    named, with_path = (
        Stack.of(scope).format_arn(service="iam", region="", resource="role", resource_name=name)
        for name in (f"{service}-*", "*/*")
    )
    return {"ArnLike": {"aws:PrincipalArn": named}, "ArnNotLike": {"aws:PrincipalArn": with_path}}


def pending_window(config: Config) -> Duration:
    """Return how long the deletion of a key can be cancelled."""
    return Duration.days(30 if config.retain_data else 7)


def replication(config: Config) -> list[iam.PolicyStatement]:
    """Return the statement that allows replication, only to the configured regions."""
    if not config.replica_regions:
        return []
    regions = {"StringEquals": {"kms:ReplicaRegion": [*config.replica_regions]}}
    return [allowed_by_iam("ReplicationByIam", ["kms:ReplicateKey"], regions)]
