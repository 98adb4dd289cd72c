"""The KMS key that seals the TOTP secrets, and what its own policy lets anyone do."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.constructs.retention import removal_policy

#: What the account's administrators may do, as far as their own IAM policies let them. No use of the key is among
#: it, nor ``CreateGrant``, which would hand a use on past the conditions below.
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

#: The only uses of the key that exist, for whomever IAM grants them to.
_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey")


#: The condition under which the key may be used: for sealing TOTP secrets and nothing else.
PURPOSE_CONDITION: Final[Mapping[str, Any]] = {
    "StringEquals": {f"kms:EncryptionContext:{contract.ENCRYPTION_CONTEXT_PURPOSE}": contract.SECRET_PURPOSE},
}


class SecretKey(kms.Key):
    """The symmetric key that seals the TOTP secrets.

    Its policy names no role: it opens the two uses to IAM, for one purpose, and each function's role grants the
    one it needs. An administrator whose IAM policy says ``kms:*`` can still not seal, re-encrypt or delegate
    with it, and can decrypt for that purpose alone.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id,
            description=_description(config),
            alias=_alias(config.environment),
            enable_key_rotation=True,
            multi_region=True if config.multi_region_key or config.replica_regions else None,
            pending_window=_pending_window(config),
            removal_policy=removal_policy(config),
            policy=iam.PolicyDocument(statements=[*_policy(), *_replication(config)]),
        )


class SecretKeyReplica(Construct):
    """The same key in another region: it opens there what the primary sealed, and seals for the primary.

    Its policy is its own, as KMS copies material and not policies: the primary's, but for replication.

    Parameters
    ----------
    config
        The environment's settings.
    primary_key_arn
        The key that it is a replica of.

    Attributes
    ----------
    key_arn
        ARN of the replica: its primary's but for the region.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        primary_key_arn: str,
    ) -> None:
        super().__init__(scope, id)
        replica = kms.CfnReplicaKey(
            self,
            "Key",
            primary_key_arn=primary_key_arn,
            description=_description(config),
            key_policy=iam.PolicyDocument(statements=_policy()),
            pending_window_in_days=_pending_window(config).to_days(),
        )
        replica.apply_removal_policy(removal_policy(config))
        kms.CfnAlias(self, "Alias", alias_name=_alias(config.environment), target_key_id=replica.attr_key_id)
        self.key_arn: Final = replica.attr_arn


def _alias(environment: str) -> str:
    """Return the key's alias, for people: functions name the key itself."""
    return f"alias/mfa-{environment}-secrets"


def _policy() -> list[iam.PolicyStatement]:
    """Return what every policy of the key says, whatever its region."""
    account = iam.AccountRootPrincipal()
    return [
        iam.PolicyStatement(
            sid="AdministrationByIam", principals=[account], actions=[*_ADMINISTRATION], resources=["*"]
        ),
        iam.PolicyStatement(
            sid="UseByIam", principals=[account], actions=[*_USE], resources=["*"], conditions=PURPOSE_CONDITION
        ),
    ]


def _replication(config: Config) -> list[iam.PolicyStatement]:
    """Open the key to replication, into the configured regions alone: a replica elsewhere would be a copy of it."""
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


def _description(config: Config) -> str:
    return f"Seals the TOTP secrets of {config.environment}"


def _pending_window(config: Config) -> Duration:
    """Return how long a deleted key can still be saved."""
    return Duration.days(30 if config.retain_data else 7)
