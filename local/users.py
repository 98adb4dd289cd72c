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
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef


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

    Parameters
    ----------
    user
        A name or an e-mail address.

    Raises
    ------
    UserRefusedError
        The user pool refused the user.
    LocalError
        The user pool failed.
    """
    cognito = _cognito(stack)
    name = _user_name(user)
    password = _password(stack, name)
    attributes: list[AttributeTypeTypeDef] = []
    if name != user:
        attributes = [{"Name": "email", "Value": user}, {"Name": "email_verified", "Value": "true"}]
    pool = stack.user_pool_id
    try:
        with suppress(cognito.exceptions.UsernameExistsException):
            cognito.admin_create_user(
                UserPoolId=pool, Username=name, MessageAction="SUPPRESS", UserAttributes=attributes
            )
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
        result = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=stack.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
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
        found = cognito.admin_get_user(UserPoolId=stack.user_pool_id, Username=_user_name(user))
    except cognito.exceptions.UserNotFoundException:
        return None
    return next(each["Value"] for each in found["UserAttributes"] if each["Name"] == "sub")


def _cognito(stack: Stack) -> "CognitoIdentityProviderClient":
    aws = session(stack.administrator, stack.region)
    cognito: CognitoIdentityProviderClient = aws.client(
        "cognito-idp", endpoint_url=stack.endpoint_url, config=_IMPATIENT
    )
    return cognito


def _user_name(user: str) -> str:
    """Return the pool's name of a user: an e-mail address is an alias there, and refused as a name."""
    return user.replace("@", "-at-")


def _password(stack: Stack, name: str) -> str:
    """Derive the password from the administrator's key, so that it is secret and the same for every command."""
    digest = hmac.digest(stack.secret_access_key.encode(), name.encode(), hashlib.sha256).hex()
    return f"Aa1!{digest[:40]}"
