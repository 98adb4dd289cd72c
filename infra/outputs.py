"""The names and outputs of what is deployed. Pipelines, tests and local tools use them to find it."""

from enum import StrEnum
from typing import Final


class StackId(StrEnum):
    """The stacks of an environment."""

    DATA = "data"
    REPLICA = "replica"  # one in each replica region
    IDENTITY = "identity"
    SERVICE = "service"
    MONITORING = "monitoring"


class Output(StrEnum):
    """Keys of the stacks' CloudFormation outputs."""

    TABLE_NAME = "TableName"  # data
    KEY_ARN = "KeyArn"  # data, replica: the key that encrypts the TOTP secrets
    ISSUER = "Issuer"  # identity: `iss` of the access tokens
    JWKS_URL = "JwksUrl"  # identity
    USER_POOL_ID = "UserPoolId"  # identity
    CLIENT_ID = "ClientId"  # identity: `client_id` of the access tokens
    API_URL = "ApiUrl"  # service: with the stage, without a trailing slash
    VERSION = "Version"  # service: the version of the service
    DOMAIN_TARGET = (
        "DomainTarget"  # service: the target of the domain's CNAME record, if this app does not create the record
    )


#: The alias that every caller of a function invokes: a deployment moves it from one published version to the next.
LIVE: Final = "live"
#: The tag of every stack that has the version of the service.
VERSION_TAG: Final = "version"


#: The end of the name of a function that is deployed as an image.
IMAGE_SUFFIX: Final = "-image"


def stack_name(environment: str, stack: StackId, region: str | None = None) -> str:
    """Return a stack's name on AWS: ``mfa-dev-service``, or with its region ``mfa-prod-replica-eu-west-1``."""
    return "-".join(filter(None, ("mfa", environment, stack, region)))


def dashboard_name(environment: str, region: str) -> str:
    """Return the name of an environment's dashboard: ``mfa-dev-us-east-1``.

    It has the region, because CloudWatch keeps one list of dashboards for all regions of an account.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards.html
    """
    return f"mfa-{environment}-{region}"


def dead_letter_queue_name(environment: str) -> str:
    """Return the name of the dead-letter queue of security events, which is the only dimension of its metrics."""
    return f"mfa-{environment}-security-events-dead-letters"


def event_bus_name(environment: str) -> str:
    """Return the name of the environment's own event bus."""
    return f"mfa-{environment}-security-events"
