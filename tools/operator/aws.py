"""AWS with the operator's credentials: the caller's identity, and the table of an environment."""

import os

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.aws import CLIENT_CONFIG, failing_closed
from functions.shared.repository import DynamoDbMfaRepository
from infra.outputs import Output, StackId, stack_name
from tools.operator.errors import OperatorError


class OperatorAws:
    """AWS with the credentials that boto3 finds: environment, shared files, SSO, instance.

    Parameters
    ----------
    profile, region : str or None
        Used instead of the default.

    Raises
    ------
    OperatorError
        The profile does not exist, or no region is configured.
    """

    def __init__(self, *, profile: str | None, region: str | None) -> None:
        try:
            # boto3 only reads AWS_DEFAULT_REGION; the AWS command line reads AWS_REGION first.
            self._session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        except BotoCoreError as error:
            raise OperatorError(f"{error}; `aws configure list-profiles` lists the existing ones.") from None
        if self._session.region_name is None:
            raise OperatorError("No AWS region is configured; set one with --region.")
        self.region: str = self._session.region_name

    def identity(self) -> str:
        """Return the ARN of the caller that these credentials belong to.

        Raises
        ------
        ServiceUnavailableError
            There are no credentials, or AWS refuses them.
        """
        with failing_closed("sts:GetCallerIdentity"):
            return str(self._session.client("sts", config=CLIENT_CONFIG).get_caller_identity()["Arn"])

    def table_name(self, environment: str) -> str:
        """Return the name of an environment's table, which its data stack outputs.

        Raises
        ------
        OperatorError
            The stack does not exist in this region and account.
        ServiceUnavailableError
            AWS refused or failed.
        """
        name = stack_name(environment, StackId.DATA)
        missing = OperatorError(
            f"Stack {name} does not exist in {self.region}; check --environment, --region and --profile, or name the "
            "table with --table."
        )
        with failing_closed("cloudformation:DescribeStacks"):
            try:
                stacks = self._session.client("cloudformation", config=CLIENT_CONFIG).describe_stacks(StackName=name)
            except ClientError as error:
                if (
                    error.response["Error"]["Code"] == "ValidationError"
                ):  # CloudFormation's code for a stack that does not exist
                    raise missing from None
                raise
        for output in stacks["Stacks"][0].get("Outputs", []):
            if output["OutputKey"] == Output.TABLE_NAME:
                return str(output["OutputValue"])
        raise missing

    def repository(self, table_name: str) -> DynamoDbMfaRepository:
        """Return the repository of a table."""
        return DynamoDbMfaRepository(table_name, self._session.client("dynamodb", config=CLIENT_CONFIG))
