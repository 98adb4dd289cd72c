"""AWS with the operator's credentials: the caller, the resources of an environment, and clients for the commands."""

import os
from collections.abc import Iterator

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.shared.aws import CLIENT_CONFIG, failing_closed
from functions.shared.encryption import master_key
from functions.shared.repository import DynamoDbMfaRepository
from functions.shared.settings import KmsKey
from infra.outputs import Output, StackId, stack_name
from tools.operator.errors import OperatorError
from tools.operator.importing import PATIENT, ImportRepository
from tools.operator.report import UsersScan


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

    def output(self, environment: str, stack: StackId, output: Output) -> str:
        """Return an output of a stack of an environment.

        Raises
        ------
        OperatorError
            The stack does not exist in this region and account.
        ServiceUnavailableError
            AWS refused or failed.
        """
        name = stack_name(environment, stack)
        missing = OperatorError(
            f"Stack {name} does not exist in {self.region}, or has no output {output}; check --environment, --region "
            "and --profile, or name the resource itself: --table, --key, --user-pool."
        )
        with failing_closed("cloudformation:DescribeStacks"):
            try:
                stacks = self._session.client("cloudformation", config=CLIENT_CONFIG).describe_stacks(StackName=name)
            except ClientError as error:
                # CloudFormation's code for a stack that does not exist
                if error.response["Error"]["Code"] == "ValidationError":
                    raise missing from None
                raise
        for each in stacks["Stacks"][0].get("Outputs", []):
            if each["OutputKey"] == output:
                return str(each["OutputValue"])
        raise missing

    def user_id(self, pool: str, username: str) -> str:
        """Return the `sub` of a user of a Cognito user pool, found by user name, e-mail address or another alias.

        https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html

        Raises
        ------
        OperatorError
            The pool has no such user.
        ServiceUnavailableError
            AWS refused or failed.
        """
        cognito = self._session.client("cognito-idp", config=CLIENT_CONFIG)
        with failing_closed("cognito-idp:AdminGetUser"):
            try:
                user = cognito.admin_get_user(UserPoolId=pool, Username=username)
            except cognito.exceptions.UserNotFoundException:
                raise OperatorError(f"User pool {pool} has no user {username}.") from None
        return next(str(each["Value"]) for each in user["UserAttributes"] if each["Name"] == "sub")

    def pool_users(self, pool: str) -> Iterator[str]:
        """Yield the `sub` of every user of a Cognito user pool."""
        cognito = self._session.client("cognito-idp", config=PATIENT)
        with failing_closed("cognito-idp:ListUsers"):
            for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool, AttributesToGet=["sub"]):
                for user in page["Users"]:
                    yield from (each["Value"] for each in user["Attributes"] if each["Name"] == "sub")

    def repository(self, table_name: str) -> DynamoDbMfaRepository:
        """Return the repository of a table."""
        return DynamoDbMfaRepository(table_name, self._session.client("dynamodb", config=CLIENT_CONFIG))

    def import_repository(self, table_name: str) -> ImportRepository:
        """Return what stores imported users in a table."""
        return ImportRepository(table_name, self._session.client("dynamodb", config=PATIENT))

    def sealer(self, key_arn: str) -> EnvelopeSealer:
        """Return what encrypts secrets with a key."""
        key = KmsKey(key_arn)
        client = self._session.client("kms", region_name=key.region, config=PATIENT)
        return EnvelopeSealer(master_key(key, client=client))

    def scan(self, table_name: str, *, units_per_second: float) -> UsersScan:
        """Return what reads all items of a table."""
        client = self._session.client("dynamodb", config=PATIENT)
        return UsersScan(table_name, client, units_per_second=units_per_second)
