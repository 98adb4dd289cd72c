"""A KMS key pair that signs proofs, its policy, and its replicas."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.constructs.key_administration import (
    KeyReplica,
    administration,
    allowed_by_iam,
    pending_window,
    replication,
    service_roles,
)
from infra.constructs.retention import removal_policy

SIGN: Final = "kms:Sign"

#: The condition on every signature: only by the algorithm of the proof.
ALGORITHM_CONDITION: Final[Mapping[str, Any]] = {
    "StringEquals": {"kms:SigningAlgorithm": contract.PROOF_KMS_ALGORITHM},
}


class SigningKey(kms.Key):
    """One key pair of the proof. The private half never leaves KMS.

    Its policy allows IAM to grant signatures by one algorithm, and reading the public half, to roles of the service
    stack; each function's role grants the use that it needs. KMS does not rotate key pairs: another name in
    ``proof_keys`` is another key.

    RSA, because API Gateway's JWT authorizers for HTTP APIs accept no other signatures:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html

    Parameters
    ----------
    config
        The environment's settings.
    name
        Its name in ``proof_keys``.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config, name: str) -> None:
        super().__init__(
            scope,
            id,
            description=_description(config),
            alias=_alias(config, name),
            key_spec=kms.KeySpec.RSA_2048,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            multi_region=True if config.replica_regions else None,
            pending_window=pending_window(config),
            removal_policy=removal_policy(config),
            policy=iam.PolicyDocument(statements=[*_policy(scope, config), *replication(config)]),
        )


class SigningKeyReplica(KeyReplica):
    """The same key pair in another region, with the same id, so that either region verifies the other's proofs.

    Parameters
    ----------
    config
        The environment's settings.
    name
        Its name in ``proof_keys``.
    primary_key_arn
        The key that is replicated.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config, name: str, primary_key_arn: str) -> None:
        super().__init__(
            scope,
            id,
            config=config,
            primary_key_arn=primary_key_arn,
            alias=_alias(config, name),
            description=_description(config),
            policy=_policy(scope, config),
        )


def _policy(scope: Construct, config: Config) -> list[iam.PolicyStatement]:
    """Return the statements that the policy has in every region."""
    roles = service_roles(scope, config)
    return [
        administration(),
        allowed_by_iam("SignByIam", [SIGN], {**ALGORITHM_CONDITION, **roles}),
        allowed_by_iam("PublicKeyByIam", ["kms:GetPublicKey"], roles),
    ]


def _alias(config: Config, name: str) -> str:
    """Return the key's alias. It is for operators; functions use the ARN of the key."""
    return f"alias/mfa-{config.environment}-proof-{name}"


def _description(config: Config) -> str:
    return f"Signs the proofs of {config.environment}"
