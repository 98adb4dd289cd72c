"""What is watched, by the names that CloudWatch knows it by.

Names, not constructs: the monitoring stack then depends on no export of the service, which can change freely.
"""

from dataclasses import dataclass

from functions.shared import contract


@dataclass(frozen=True, kw_only=True)
class WatchedFunction:
    """A deployed function.

    Attributes
    ----------
    folder : str
        Its folder under ``functions/``, which its name on AWS derives from.
    timeout_seconds : int
        After which Lambda ends an invocation.
    """

    folder: str
    timeout_seconds: int

    def __post_init__(self) -> None:
        """Refuse a time-out that no share can be taken of."""
        if self.timeout_seconds <= 0:
            raise ValueError(f"{self.folder}: expected a time-out above 0 seconds, got {self.timeout_seconds}")

    def name(self, environment: str) -> str:
        """Return the function's name on AWS."""
        return contract.lambda_name(self.folder, environment)

    def log_group_name(self, environment: str) -> str:
        """Return the name of the log group that the function writes to."""
        return f"/aws/lambda/{self.name(environment)}"


@dataclass(frozen=True, kw_only=True)
class WatchedResources:
    """The parts of one environment. Every string may be a CDK token.

    Attributes
    ----------
    api_name : str
        Name of the REST API.
    access_log_name : str
        Log group of the REST API's access log.
    functions : tuple of WatchedFunction
        The functions behind it.
    table_name : str
        The DynamoDB table.
    secret_key_arn : str
        ARN of the KMS key that seals the TOTP secrets; a key, not an alias.
    dead_letter_queue_name : str or None
        The SQS queue of security events that could not be published, where there is one.
    """

    api_name: str
    access_log_name: str
    functions: tuple[WatchedFunction, ...]
    table_name: str
    secret_key_arn: str
    dead_letter_queue_name: str | None = None

    def has(self, folder: str) -> bool:
        """Return whether the function of that folder is deployed."""
        return any(function.folder == folder for function in self.functions)
