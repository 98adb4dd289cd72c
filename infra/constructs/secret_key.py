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

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:  # noqa: A002
        account = iam.AccountRootPrincipal()
        super().__init__(
            scope,
            id,
            description=f"Seals the TOTP secrets of {config.environment}",
            alias=f"alias/mfa-{config.environment}-secrets",
            enable_key_rotation=True,
            pending_window=Duration.days(30 if config.retain_data else 7),
            removal_policy=removal_policy(config),
            policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="AdministrationByIam", principals=[account], actions=[*_ADMINISTRATION], resources=["*"]
                    ),
                    iam.PolicyStatement(
                        sid="UseByIam",
                        principals=[account],
                        actions=[*_USE],
                        resources=["*"],
                        conditions=PURPOSE_CONDITION,
                    ),
                ]
            ),
        )
