"""The stacks' names and outputs, by which a pipeline and local tooling find what was deployed."""

from enum import StrEnum


class StackId(StrEnum):
    """The stacks of an environment."""

    DATA = "data"
    IDENTITY = "identity"
    SERVICE = "service"
    MONITORING = "monitoring"


class Output(StrEnum):
    """Keys of the stacks' CloudFormation outputs."""

    TABLE_NAME = "TableName"  # data
    KEY_ARN = "KeyArn"  # data: the key that seals the TOTP secrets
    ISSUER = "Issuer"  # identity: `iss` of the access tokens
    JWKS_URL = "JwksUrl"  # identity
    USER_POOL_ID = "UserPoolId"  # identity
    CLIENT_ID = "ClientId"  # identity: `client_id` of the access tokens
    API_URL = "ApiUrl"  # service: with the stage, without a slash at the end
    DOMAIN_TARGET = "DomainTarget"  # service: what the domain's CNAME points at, where this app does not make it


def stack_name(environment: str, stack: StackId) -> str:
    """Return a stack's name on AWS: the service stack of ``dev`` is ``mfa-dev-service``."""
    return f"mfa-{environment}-{stack}"
