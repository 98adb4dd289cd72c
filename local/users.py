"""Users of the local Cognito pool, created on demand, and their tokens."""

import hashlib
import hmac
from contextlib import suppress
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from botocore.config import Config
from botocore.exceptions import ClientError

from local.bootstrap import session
from local.errors import LocalError
from local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


#: On the same machine, two failed attempts mean that the service is not running.
_IMPATIENT: Final = Config(retries={"total_max_attempts": 2})


class UserRefusedError(LocalError):
    """The user pool refused the user, for example because of its name."""


class TokenKind(StrEnum):
    """The JWTs that a Cognito login returns; APIs accept the access token."""

    ACCESS = "access"
    ID = "id"


def token(stack: Stack, user: str, kind: TokenKind = TokenKind.ACCESS) -> str:
    """Log a user in, and return a new token; the user is created if necessary.

    Raises
    ------
    UserRefusedError
        The user pool refused the user.
    LocalError
        The user pool failed.
    """
    cognito = _cognito(stack)
    password = _password(stack, user)
    try:
        _ensure(cognito, stack.user_pool_id, user, password)
        result = cognito.admin_initiate_auth(
            UserPoolId=stack.user_pool_id,
            ClientId=stack.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )["AuthenticationResult"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise LocalError(f"The user pool failed: {error}") from None
        raise UserRefusedError(f"The user pool refused {user!r}: {error}") from None
    return result["AccessToken"] if kind is TokenKind.ACCESS else result["IdToken"]


def identifier(stack: Stack, user: str) -> str | None:
    """Return the ``sub`` of a user's tokens; ``None`` if the pool has no user of that name."""
    cognito = _cognito(stack)
    try:
        found = cognito.admin_get_user(UserPoolId=stack.user_pool_id, Username=user)
    except cognito.exceptions.UserNotFoundException:
        return None
    return next(each["Value"] for each in found["UserAttributes"] if each["Name"] == "sub")


def _cognito(stack: Stack) -> "CognitoIdentityProviderClient":
    aws = session(stack.administrator, stack.region)
    cognito: CognitoIdentityProviderClient = aws.client(
        "cognito-idp", endpoint_url=stack.endpoint_url, config=_IMPATIENT
    )
    return cognito


def _ensure(cognito: "CognitoIdentityProviderClient", pool: str, user: str, password: str) -> None:
    with suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=user,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": user if "@" in user else f"{user}@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    cognito.admin_set_user_password(UserPoolId=pool, Username=user, Password=password, Permanent=True)


def _password(stack: Stack, user: str) -> str:
    """Derive the password from the administrator's key, so that it is secret and the same for every command."""
    digest = hmac.digest(stack.secret_access_key.encode(), user.encode(), hashlib.sha256).hex()
    return f"Aa1!{digest[:40]}"
