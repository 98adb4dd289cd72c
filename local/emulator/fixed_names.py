"""Resources with a name that a template gives: CloudFormation creates none under a name that exists already."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ministack.core.responses import AccountScopedDict
from ministack.services import cloudwatch, cloudwatch_logs, dynamodb, lambda_svc, sqs
from ministack.services.cloudformation import provisioners

#: The property with the name, and the names that exist in the account and region in scope.
_NAMES: Final[dict[str, tuple[str, Callable[[], Any]]]] = {
    "AWS::CloudWatch::Dashboard": ("DashboardName", lambda: cloudwatch._dashboards),
    "AWS::DynamoDB::GlobalTable": ("TableName", lambda: dynamodb._tables),
    "AWS::DynamoDB::Table": ("TableName", lambda: dynamodb._tables),
    "AWS::Lambda::Function": ("FunctionName", lambda: lambda_svc._functions),
    "AWS::Logs::LogGroup": ("LogGroupName", lambda: cloudwatch_logs._log_groups),
    "AWS::SQS::Queue": ("QueueName", lambda: {queue["name"] for queue in sqs._queues.values()}),
}


def global_dashboards() -> None:
    """Keep one list of dashboards for all regions of an account.

    MiniStack keeps one for each region.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards.html
    """
    cloudwatch._dashboards = AccountScopedDict()


def names_that_exist() -> None:
    """Refuse to create a resource under a name that exists, such as one that an earlier stack left behind.

    MiniStack replaces the existing resource.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
    """
    for kind in _NAMES:
        handler = provisioners._RESOURCE_HANDLERS[kind]
        handler["create"] = partial(_create_new, handler["create"], kind)


def _create_new(
    create: Callable[..., Any], kind: str, logical_id: str, properties: dict[str, Any], *arguments: Any
) -> Any:
    name, existing = _NAMES[kind]
    given = properties.get(name)
    if given and given in existing():
        raise ValueError(f"Resource of type '{kind}' with identifier '{given}' already exists.")
    return create(logical_id, properties, *arguments)


GAPS: Final = (global_dashboards, names_that_exist)
