"""A deployment on AWS: its API, and a disposable user of its user pool."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
import urllib3

from functions.shared.contract import Endpoint
from infra.outputs import Output, StackId, stack_name
from tests.smoke.journey import SmokeError
from tests.support.life_cycle import Answer, Caller
from tests.support.stack import Api


class DeployedUser(Caller):
    """A user who calls a deployed API with an access token."""

    def __init__(self, api: Api, token: str) -> None:
        super().__init__()
        self._api = api
        self._token = token

    def time(self) -> float:
        return time.time()

    def call(self, route: Endpoint, body: Any = None) -> Answer:
        try:
            answer = self._api.request(route.method, route.path, token=self._token, body=body)
        except urllib3.exceptions.HTTPError as error:
            raise SmokeError(f"{urlsplit(self._api.url).hostname} cannot be reached: {type(error).__name__}") from None
        try:
            return Answer(answer.status, answer.json(), answer.headers)
        except AssertionError:
            raise SmokeError(f"{route.method} {route.path} answered {answer.status}, and no JSON") from None


def outputs(environment: str, stack: StackId, *, client: Callable[[str], Any] = boto3.client) -> dict[str, str]:
    """Return the outputs of a stack; none if the environment has no such stack."""
    cloudformation = client("cloudformation")
    name = stack_name(environment, stack)
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    found: dict[str, Any] = next((each for page in pages for each in page["Stacks"] if each["StackName"] == name), {})
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}


@contextmanager
def disposable_user(pool: dict[str, str]) -> Iterator[str]:
    """Create a user in the identity stack's pool during a block; yield the user's access token."""
    cognito: Any = boto3.client("cognito-idp")
    user_pool, client = pool[Output.USER_POOL_ID], pool[Output.CLIENT_ID]
    # Not an e-mail address: the pool accepts those only as aliases.
    name = f"smoke-{secrets.token_hex(8)}"
    password = f"Aa1!{secrets.token_urlsafe(32)}"
    address = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(UserPoolId=user_pool, Username=name, MessageAction="SUPPRESS", UserAttributes=address)
    try:
        cognito.admin_set_user_password(UserPoolId=user_pool, Username=name, Password=password, Permanent=True)
        login = cognito.admin_initiate_auth(
            UserPoolId=user_pool,
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )
        yield login["AuthenticationResult"]["AccessToken"]
    finally:
        cognito.admin_delete_user(UserPoolId=user_pool, Username=name)
