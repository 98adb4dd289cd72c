"""A KMS key pair that signs proofs, and its policy."""

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
        definition = signing_key_definition(scope, config, name)
        super().__init__(
            scope,
            id,
            description=definition.description,
            alias=definition.alias,
            key_spec=kms.KeySpec.RSA_2048,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            multi_region=True if config.replica_regions else None,
            pending_window=pending_window(config),
            removal_policy=removal_policy(config),
            policy=iam.PolicyDocument(statements=[*definition.statements, *replication(config)]),
        )


def signing_key_definition(scope: Construct, config: Config, name: str) -> KeyDefinition:
    """Return what the key pair ``name`` and its replicas have in common: each region verifies the others' proofs."""
    roles = service_roles(scope, config)
    return KeyDefinition(
        alias=f"alias/mfa-{config.environment}-proof-{name}",
        description=f"Signs the proofs of {config.environment}",
        statements=[
            administration(),
            allowed_by_iam("SignByIam", [SIGN], {**ALGORITHM_CONDITION, **roles}),
            allowed_by_iam("PublicKeyByIam", ["kms:GetPublicKey"], roles),
        ],
    )
