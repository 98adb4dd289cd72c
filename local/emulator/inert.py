"""Resources and properties that the emulator accepts but does not emulate."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Inert:
    """A resource or property that is recorded and has no effect.

    Parameters
    ----------
    what
        A CloudFormation type, or a property of one.
    instead
        What happens locally.
    """

    what: str
    instead: str


#: Types that MiniStack refuses. They are recorded, so that stacks with them deploy.
INERT_TYPES: Final = (
    Inert("AWS::CodeDeploy::Application", "an alias moves to the new version at once"),
    Inert("AWS::CodeDeploy::DeploymentConfig", "an alias moves to the new version at once"),
    Inert("AWS::CodeDeploy::DeploymentGroup", "an alias moves to the new version at once; no rollback"),
    Inert("AWS::Logs::QueryDefinition", "saved queries are not listed; you can run the same queries by hand"),
)

INERT: Final = (
    *INERT_TYPES,
    Inert("AWS::CloudWatch::Alarm on metrics that only AWS publishes", "the alarm stays INSUFFICIENT_DATA"),
    Inert("AWS::WAFv2::WebACL and its association", "stored; no request is blocked or counted"),
    Inert("AWS::DynamoDB::GlobalTable replicas", "only one region"),
    Inert("AWS::DynamoDB::GlobalTable encryption", "the key is stored; items are not encrypted with it"),
    Inert("AWS::Logs::LogGroup data protection and key", "nothing is masked or encrypted"),
    Inert("AWS::SNS::Topic key", "messages are not encrypted"),
    Inert("AWS::ApiGateway::Stage access logs and tracing", "no log line is written"),
    Inert("AWS::Lambda::Function memory, tracing and SnapStart's snapshot", "no limit, no trace, no snapshot"),
)
