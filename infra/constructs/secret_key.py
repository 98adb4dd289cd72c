"""The KMS key that encrypts the TOTP secrets, its policy, and its replicas."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.constructs.key_administration import administration, pending_window, replication, service_roles
from infra.constructs.retention import removal_policy

#: The only uses that the key allows, for principals that IAM grants them to.
_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey")

#: The condition on every use of the key: only for TOTP secrets.
PURPOSE_CONDITION: Final[Mapping[str, Any]] = {
    "StringEquals": {f"kms:EncryptionContext:{contract.ENCRYPTION_CONTEXT_PURPOSE}": contract.SECRET_PURPOSE},
}


class SecretKey(kms.Key):
    """The symmetric key that encrypts the TOTP secrets.

    Its policy allows IAM to grant the two uses, for one purpose, to the roles of the service stack, and each function's
    role grants the use that it needs. Those in ``import_principals`` may seal. An administrator with ``kms:*`` cannot
    use the key at all without first changing this policy or taking on such a role.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id,
            description=_description(config),
            alias=_alias(config.environment),
            enable_key_rotation=True,
            multi_region=True if config.multi_region_key or config.replica_regions else None,
            pending_window=pending_window(config),
            removal_policy=removal_policy(config),
            policy=iam.PolicyDocument(statements=[*_policy(scope, config), *replication(config)]),
        )


class SecretKeyReplica(Construct):
    """The same key in another region: each decrypts what the other encrypted.

    KMS copies the key material but not the policy. The replica's policy is the primary's without replication.

    Parameters
    ----------
    config
        The environment's settings.
    primary_key_arn
        The key that is replicated.

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
    ) -> None:
        super().__init__(scope, id)
        replica = kms.CfnReplicaKey(
            self,
            "Key",
            primary_key_arn=primary_key_arn,
            description=_description(config),
            key_policy=iam.PolicyDocument(statements=_policy(scope, config)),
            pending_window_in_days=pending_window(config).to_days(),
        )
        replica.apply_removal_policy(removal_policy(config))
        kms.CfnAlias(self, "Alias", alias_name=_alias(config.environment), target_key_id=replica.attr_key_id)
        self.key_arn: Final = replica.attr_arn


def _alias(environment: str) -> str:
    """Return the key's alias. It is for operators; functions use the ARN of the key."""
    return f"alias/mfa-{environment}-secrets"


def _policy(scope: Construct, config: Config) -> list[iam.PolicyStatement]:
    """Return the statements that the policy has in every region."""
    return [
        administration(),
        iam.PolicyStatement(
            sid="UseByIam",
            principals=[iam.AccountRootPrincipal()],
            actions=[*_USE],
            resources=["*"],
            conditions={**PURPOSE_CONDITION, **service_roles(scope, config)},
        ),
        *_import(config),
    ]


def _import(config: Config) -> list[iam.PolicyStatement]:
    """Return the statement that allows an import to seal secrets; sealing reveals none."""
    if not config.import_principals:
        return []
    return [
        iam.PolicyStatement(
            sid="ImportByIam",
            principals=[iam.AccountRootPrincipal()],
            actions=["kms:GenerateDataKey"],
            resources=["*"],
            conditions={**PURPOSE_CONDITION, "ArnLike": {"aws:PrincipalArn": [*config.import_principals]}},
        )
    ]


def _description(config: Config) -> str:
    return f"Seals the TOTP secrets of {config.environment}"
