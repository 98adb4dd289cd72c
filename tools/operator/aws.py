"""The operator's side of AWS: whose credentials these are, and which table is meant."""

import os

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.aws import CLIENT_CONFIG, failing_closed
from functions.shared.repository import DynamoDbMfaRepository
from infra.outputs import Output, StackId, stack_name
from tools.operator.errors import OperatorError


class OperatorAws:
    """AWS with the operator's credentials, as boto3 finds them: environment, shared files, SSO, instance.

    Parameters
    ----------
    profile, region : str or None
        What to use instead of the default.

    Raises
    ------
    OperatorError
        There is no such profile, or no region is configured.
    """

    def __init__(self, *, profile: str | None, region: str | None) -> None:
        try:
            # boto3 looks at AWS_DEFAULT_REGION alone, the AWS command line at this one first.
            self._session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        except BotoCoreError as error:
            raise OperatorError(f"{error}; `aws configure list-profiles` shows those there are.") from None
        if self._session.region_name is None:
            raise OperatorError("No AWS region is configured; name one with --region.")
        self.region: str = self._session.region_name

    def identity(self) -> str:
        """Return the ARN of whoever these credentials belong to.

        Raises
        ------
        ServiceUnavailableError
            There are no credentials, or AWS does not accept them.
        """
        with failing_closed("sts:GetCallerIdentity"):
            return str(self._session.client("sts", config=CLIENT_CONFIG).get_caller_identity()["Arn"])

    def table_name(self, environment: str) -> str:
        """Return the name of an environment's table, from the output of its data stack.

        Raises
        ------
        OperatorError
            There is no such stack here.
        ServiceUnavailableError
            AWS refused or failed.
        """
        name = stack_name(environment, StackId.DATA)
        missing = OperatorError(
            f"There is no stack {name} in {self.region}; check --environment, --region and --profile, or name the "
            "table with --table."
        )
        with failing_closed("cloudformation:DescribeStacks"):
            try:
                stacks = self._session.client("cloudformation", config=CLIENT_CONFIG).describe_stacks(StackName=name)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's way to say: no such stack
                    raise missing from None
                raise
        for output in stacks["Stacks"][0].get("Outputs", []):
            if output["OutputKey"] == Output.TABLE_NAME:
                return str(output["OutputValue"])
        raise missing

    def repository(self, table_name: str) -> DynamoDbMfaRepository:
        """Return the records of a table."""
        return DynamoDbMfaRepository(table_name, self._session.client("dynamodb", config=CLIENT_CONFIG))
