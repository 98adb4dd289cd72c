import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.emulator import Emulator

type CreateUser = Callable[..., Any]


@pytest.fixture(params=["AdminCreateUser", "SignUp"])
def create_user(emulator: Emulator, request: pytest.FixtureRequest) -> CreateUser:
    """Return a function that creates a user in a new pool with some aliases, by one of the two operations."""
    cognito = emulator.client("cognito-idp")

    def create(name: str, *aliases: str) -> Any:
        pool = cognito.create_user_pool(PoolName=f"test-{uuid.uuid4().hex}", AliasAttributes=[*aliases])["UserPool"]
        if request.param == "AdminCreateUser":
            return cognito.admin_create_user(UserPoolId=pool["Id"], Username=name, MessageAction="SUPPRESS")
        client = cognito.create_user_pool_client(UserPoolId=pool["Id"], ClientName="test")["UserPoolClient"]
        return cognito.sign_up(ClientId=client["ClientId"], Username=name, Password="Aa1!bbbbbbbb")

    return create


@pytest.mark.parametrize(
    ("name", "alias", "words"), [("ann@example.com", "email", "email"), ("+4912345678", "phone_number", "phone number")]
)
def test_a_user_name_in_the_format_of_an_alias_is_refused(
    create_user: CreateUser, name: str, alias: str, words: str
) -> None:
    with pytest.raises(ClientError, match=f"cannot be of {words} format") as refusal:
        create_user(name, alias)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterException"


def test_other_user_names_are_accepted(create_user: CreateUser) -> None:
    create_user("ann-at-example.com", "email", "phone_number")
    create_user("ann@example.com", "phone_number", "preferred_username")
    create_user("ann@example.com")
