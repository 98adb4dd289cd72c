"""Resources and properties that the emulator accepts but does not emulate, and what happens locally instead."""

from typing import Final

#: Types that MiniStack refuses. They are recorded, so that stacks with them deploy.
INERT_TYPES: Final = {
    "AWS::CodeDeploy::Application": "an alias moves to the new version at once",
    "AWS::CodeDeploy::DeploymentConfig": "an alias moves to the new version at once",
    "AWS::CodeDeploy::DeploymentGroup": "an alias moves to the new version at once; no rollback",
    "AWS::Logs::QueryDefinition": "saved queries are not listed; you can run the same queries by hand",
}

INERT: Final = INERT_TYPES | {
    "AWS::CloudWatch::Alarm on metrics that only AWS publishes": "the alarm stays INSUFFICIENT_DATA",
    "AWS::WAFv2::WebACL and its association": "stored; no request is blocked or counted",
    "AWS::DynamoDB::GlobalTable replicas": "only one region",
    "AWS::DynamoDB::GlobalTable encryption": "the key is stored; items are not encrypted with it",
    "AWS::Logs::LogGroup data protection and key": "nothing is masked or encrypted",
    "AWS::SNS::Topic key": "messages are not encrypted",
    "AWS::ApiGateway::Stage access logs and tracing": "no log line is written",
    "AWS::Lambda::Function memory, tracing and SnapStart's snapshot": "no limit, no trace, no snapshot",
}
