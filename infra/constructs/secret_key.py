"""The KMS key that encrypts the TOTP secrets, and its policy."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.constructs.key_administration import (
    KeyDefinition,
    administration,
    allowed_by_iam,
    pending_window,
    replication,
    service_roles,
)
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
        definition = secret_key_definition(scope, config)
        super().__init__(
            scope,
            id,
            description=definition.description,
            alias=definition.alias,
            enable_key_rotation=True,
            multi_region=True if config.multi_region_key or config.replica_regions else None,
            pending_window=pending_window(config),
            removal_policy=removal_policy(config),
            policy=iam.PolicyDocument(statements=[*definition.statements, *replication(config)]),
        )


def secret_key_definition(scope: Construct, config: Config) -> KeyDefinition:
    """Return what the key and its replicas have in common: each decrypts what another one encrypted."""
    return KeyDefinition(
        alias=f"alias/mfa-{config.environment}-secrets",
        description=f"Seals the TOTP secrets of {config.environment}",
        statements=[
            administration(),
            allowed_by_iam("UseByIam", _USE, {**PURPOSE_CONDITION, **service_roles(scope, config)}),
            *_import(config),
        ],
    )


def _import(config: Config) -> list[iam.PolicyStatement]:
    """Return the statement that allows an import to seal secrets; sealing reveals none."""
    if not config.import_principals:
        return []
    importers = {"ArnLike": {"aws:PrincipalArn": [*config.import_principals]}}
    return [allowed_by_iam("ImportByIam", ["kms:GenerateDataKey"], {**PURPOSE_CONDITION, **importers})]
