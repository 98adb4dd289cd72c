"""What is watched: the parts of an environment by name, and every metric that they publish.

Names, not constructs: the monitoring stack then depends on no export of the service, which can change freely.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from functions.shared import contract
from infra.outputs import dashboard_name

#: The calls that the functions make on the table; DynamoDB counts its errors by operation.
TABLE_OPERATIONS: Final = ("GetItem", "PutItem", "UpdateItem", "DeleteItem")

#: The calls that the functions make on the secret key: setup the first, every other route the second.
GENERATE_DATA_KEY: Final = "GenerateDataKey"
DECRYPT: Final = "Decrypt"
#: The call that they make on the first key of the proof.
SIGN: Final = "Sign"


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric with one statistic: CloudWatch finds it only if namespace, name and *every* dimension match."""

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Sum"


@dataclass(frozen=True, kw_only=True)
class WatchedResources:
    """The parts of one environment. Every string may be a CDK token.

    The names and dimensions of AWS's metrics are from each service's page "CloudWatch metrics and dimensions".

    Attributes
    ----------
    environment : str
        Name of the environment.
    region : str
        Its region.
    api_name : str
        Name of the REST API.
    access_log_name : str
        Log group of the REST API's access log.
    functions : mapping of str to str
        The name on AWS of every deployed function, by its folder under ``functions/``.
    timeout_seconds : int
        Time limit of an invocation of each function.
    table_name : str
        The DynamoDB table.
    secret_key_arn : str
        ARN of the KMS key that encrypts the TOTP secrets; a key, not an alias.
    proof_key_arns : tuple of str
        ARNs of the KMS keys of the proof; empty if proofs are off.
    dead_letter_queue_name : str or None
        The SQS queue of unpublished security events; ``None`` if no security events are published.
    """

    environment: str
    region: str
    api_name: str
    access_log_name: str
    functions: Mapping[str, str]
    timeout_seconds: int
    table_name: str
    secret_key_arn: str
    proof_key_arns: tuple[str, ...] = ()
    dead_letter_queue_name: str | None = None

    @property
    def dashboard_name(self) -> str:
        """The name of the dashboard; others add to it."""
        return dashboard_name(self.environment, self.region)

    def log_group_name(self, folder: str) -> str:
        """Return the name of the log group that a function writes to."""
        return f"/aws/lambda/{contract.lambda_name(folder, self.environment)}"

    def counted(self, name: str) -> Series:
        """Return a metric that the functions publish themselves."""
        dimensions = contract.metric_dimensions(self.environment)
        return Series(namespace=contract.METRICS_NAMESPACE, name=name, dimensions=dimensions)

    def gateway(self, name: str, statistic: str = "Sum") -> Series:
        """Return a metric of the REST API's stage."""
        dimensions = {"ApiName": self.api_name, "Stage": contract.STAGE_NAME}
        return Series(namespace="AWS/ApiGateway", name=name, dimensions=dimensions, statistic=statistic)

    def function(self, folder: str, name: str, statistic: str = "Sum") -> Series:
        """Return a metric of one function over all its versions."""
        dimensions = {"FunctionName": self.functions[folder]}
        return Series(namespace="AWS/Lambda", name=name, dimensions=dimensions, statistic=statistic)

    def account_concurrency(self) -> Series:
        """Return the concurrency that all functions of the account and region claim, including reservations."""
        return Series(namespace="AWS/Lambda", name="ClaimedAccountConcurrency", statistic="Maximum")

    def table(self, name: str, *, operation: str | None = None, statistic: str = "Sum") -> Series:
        """Return a metric of the table, or of one operation on it for metrics that DynamoDB splits by operation."""
        dimensions = {"TableName": self.table_name} | ({"Operation": operation} if operation else {})
        return Series(namespace="AWS/DynamoDB", name=name, dimensions=dimensions, statistic=statistic)

    def secret_key_uses(self, operation: str) -> Series:
        """Return the successful calls of a cryptographic operation on the secret key, by any principal."""
        dimensions = {"KeyArn": self.secret_key_arn, "Operation": operation}
        return Series(namespace="AWS/KMS", name="SuccessfulRequest", dimensions=dimensions)

    def proof_key_uses(self) -> dict[str, Series]:
        """Return the successful signatures with each key of the proof, by any principal, by names for metric math."""
        return {
            f"signed_{place}": Series(
                namespace="AWS/KMS", name="SuccessfulRequest", dimensions={"KeyArn": arn, "Operation": SIGN}
            )
            for place, arn in enumerate(self.proof_key_arns, start=1)
        }

    def dead_letters(self) -> Series | None:
        """Return the number of messages in the dead-letter queue; ``None`` without a queue."""
        if self.dead_letter_queue_name is None:
            return None
        dimensions = {"QueueName": self.dead_letter_queue_name}
        name = "ApproximateNumberOfMessagesVisible"
        return Series(namespace="AWS/SQS", name=name, dimensions=dimensions, statistic="Maximum")

    def masked_log_events(self, folder: str, dimensions: Mapping[str, str]) -> Series:
        """Return the number of log events in which the data-protection policy of a log group masked something.

        Parameters
        ----------
        dimensions : mapping of str to str
            Dimensions of the metric besides the log group's name.
        """
        of_group = {"LogGroupName": self.log_group_name(folder), **dimensions}
        return Series(namespace="AWS/Logs", name="LogEventsWithFindings", dimensions=of_group)
