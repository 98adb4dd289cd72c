"""AWS with the operator's credentials: the caller, and the resources that the options name."""

import argparse
import os
from collections.abc import Iterator
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.aws import CLIENT_CONFIG, failing_closed
from infra.outputs import Output, StackId, stack_name
from tools.operator.errors import OperatorError

#: Users that are imported at the same time.
WORKERS: Final = 16
#: For commands about many users. The adaptive mode measures throttling and sends fewer requests until it ends:
#: https://docs.aws.amazon.com/boto3/latest/guide/retries.html#adaptive-retry-mode
PATIENT: Final = Config(
    connect_timeout=5,
    read_timeout=10,
    retries={"mode": "adaptive", "total_max_attempts": 10},
    max_pool_connections=WORKERS,
    tcp_keepalive=True,
)


class OperatorAws:
    """AWS with the credentials that boto3 finds: environment, shared files, SSO, instance.

    The options of the command choose profile, region, environment and resources.

    Raises
    ------
    OperatorError
        The profile does not exist, or no region is configured.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        # boto3 only reads AWS_DEFAULT_REGION; the AWS command line reads AWS_REGION first.
        region = options.region or os.environ.get("AWS_REGION")
        try:
            self.session = boto3.Session(profile_name=options.profile, region_name=region)
        except BotoCoreError as error:
            raise OperatorError(f"{error}; `aws configure list-profiles` lists the existing ones.") from None
        if self.session.region_name is None:
            raise OperatorError("No AWS region is configured; set one with --region.")
        self.region: str = self.session.region_name

    def identity(self) -> str:
        """Return the ARN of the caller that these credentials belong to.

        Raises
        ------
        ServiceUnavailableError
            There are no credentials, or AWS refuses them.
        """
        with failing_closed("sts:GetCallerIdentity"):
            return str(self.session.client("sts", config=CLIENT_CONFIG).get_caller_identity()["Arn"])

    def table(self) -> str:
        """Return the users' table: ``--table``, or the environment's."""
        return self._resource(self._options.table, "table with --table", StackId.DATA, Output.TABLE_NAME)

    def secret_key(self) -> str:
        """Return the ARN of the key that encrypts the secrets: ``--key``, or the environment's."""
        return self._resource(self._options.key, "secret key with --key", StackId.DATA, Output.KEY_ARN)

    def user_pool(self) -> str:
        """Return the Cognito user pool: ``--user-pool``, or the environment's."""
        return self._resource(
            self._options.user_pool, "user pool with --user-pool", StackId.IDENTITY, Output.USER_POOL_ID
        )

    def _resource(self, named: str | None, option: str, stack: StackId, output: Output) -> str:
        """Return the resource that the options name, or an output of a stack of the environment.

        Raises
        ------
        OperatorError
            The options name no environment, or the stack does not exist in this region and account.
        ServiceUnavailableError
            AWS refused or failed.
        """
        if named:
            return named
        if self._options.environment is None:
            raise OperatorError(f"Name the {option}, or the environment with --environment.")
        name = stack_name(self._options.environment, stack)
        no_output = OperatorError(
            f"Stack {name} does not exist in {self.region}, or has no output {output}; check --environment, --region "
            "and --profile, or name the resource itself: --table, --key, --user-pool."
        )
        with failing_closed("cloudformation:DescribeStacks"):
            try:
                stacks = self.session.client("cloudformation", config=CLIENT_CONFIG).describe_stacks(StackName=name)
            except ClientError as error:
                # CloudFormation's code for a stack that does not exist
                if error.response["Error"]["Code"] == "ValidationError":
                    raise no_output from None
                raise
        for each in stacks["Stacks"][0].get("Outputs", []):
            if each["OutputKey"] == output:
                return str(each["OutputValue"])
        raise no_output

    def user_id(self) -> str:
        """Return the `sub` of the user: ``--user``, or that of ``--username`` in the user pool.

        The pool finds a user by user name, e-mail address or another alias:
        https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html

        Raises
        ------
        OperatorError
            The pool has no such user.
        ServiceUnavailableError
            AWS refused or failed.
        """
        if self._options.user:
            return str(self._options.user)
        pool, username = self.user_pool(), self._options.username
        cognito = self.session.client("cognito-idp", config=CLIENT_CONFIG)
        with failing_closed("cognito-idp:AdminGetUser"):
            try:
                user = cognito.admin_get_user(UserPoolId=pool, Username=username)
            except cognito.exceptions.UserNotFoundException:
                raise OperatorError(f"User pool {pool} has no user {username}.") from None
        return next(str(each["Value"]) for each in user["UserAttributes"] if each["Name"] == "sub")

    def pool_users(self, pool: str) -> Iterator[str]:
        """Yield the `sub` of every user of a Cognito user pool."""
        cognito = self.session.client("cognito-idp", config=PATIENT)
        with failing_closed("cognito-idp:ListUsers"):
            for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool, AttributesToGet=["sub"]):
                for user in page["Users"]:
                    yield from (each["Value"] for each in user["Attributes"] if each["Name"] == "sub")
