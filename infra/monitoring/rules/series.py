"""Every metric that is watched, as AWS or the functions publish it.

Names and dimensions of AWS's own metrics are from each service's "CloudWatch metrics and dimensions" page.
"""

from functions.shared import contract
from infra.monitoring.resources import WatchedFunction, WatchedResources
from infra.monitoring.rules.model import Series


def counted(name: str, environment: str) -> Series:
    """Return a metric that the functions publish themselves."""
    return Series(namespace=contract.METRICS_NAMESPACE, name=name, dimensions=contract.metric_dimensions(environment))


def gateway(name: str, resources: WatchedResources, statistic: str = "Sum") -> Series:
    """Return a metric of the REST API's stage."""
    return Series(
        namespace="AWS/ApiGateway",
        name=name,
        dimensions={"ApiName": resources.api_name, "Stage": contract.STAGE_NAME},
        statistic=statistic,
    )


def function(name: str, watched: WatchedFunction, environment: str, statistic: str = "Sum") -> Series:
    """Return a metric of one function, all its versions together."""
    return Series(
        namespace="AWS/Lambda",
        name=name,
        dimensions={"FunctionName": watched.name(environment)},
        statistic=statistic,
    )


def account_concurrency() -> Series:
    """Return the concurrency that all functions of the account and region claim, reserved ones included."""
    return Series(namespace="AWS/Lambda", name="ClaimedAccountConcurrency", statistic="Maximum")


def table(name: str, resources: WatchedResources, *, operation: str | None = None, statistic: str = "Sum") -> Series:
    """Return a metric of the DynamoDB table, of one operation where DynamoDB tells them apart."""
    dimensions = {"TableName": resources.table_name}
    if operation is not None:
        dimensions["Operation"] = operation
    return Series(namespace="AWS/DynamoDB", name=name, dimensions=dimensions, statistic=statistic)


def secret_key_uses(operation: str, resources: WatchedResources) -> Series:
    """Return the successful calls of a cryptographic operation on the secret's key, whoever made them."""
    return Series(
        namespace="AWS/KMS",
        name="SuccessfulRequest",
        dimensions={"KeyArn": resources.secret_key_arn, "Operation": operation},
    )


def dead_letters(queue_name: str) -> Series:
    """Return how many messages wait in the dead-letter queue."""
    return Series(
        namespace="AWS/SQS",
        name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue_name},
        statistic="Maximum",
    )


def masked_log_events(watched: WatchedFunction, environment: str) -> Series:
    """Return how many log events the data-protection policy of a log group found something in."""
    return Series(
        namespace="AWS/Logs",
        name="LogEventsWithFindings",
        dimensions={"LogGroupName": watched.log_group_name(environment), "DataProtectionOperation": "Audit"},
    )
