"""The caller: only what the authorizer says, nothing else in the event."""

from typing import Any

import pytest

from functions.shared.errors import InsufficientScopeError, UnauthorizedError
from functions.shared.identity import Identity, identity_from_event


def event(authorizer: Any) -> dict[str, Any]:
    return {"requestContext": {"requestId": "r", "authorizer": authorizer}}


def test_takes_user_label_and_scopes_of_the_context() -> None:
    context = {"user_id": "user-1", "label": "ada@example.com", "scope": "openid  mfa/manage"}
    expected = Identity("user-1", "ada@example.com", frozenset({"openid", "mfa/manage"}))
    assert identity_from_event(event(context)) == expected


@pytest.mark.parametrize("label", [None, ""])
def test_without_a_label_the_user_id_stands_in(label: str | None) -> None:
    assert identity_from_event(event({"user_id": "user-1", "label": label})) == Identity("user-1", "user-1")


@pytest.mark.parametrize(
    "claimed",
    [
        pytest.param({}, id="empty event"),
        pytest.param({"requestContext": None}, id="no request context"),
        pytest.param({"requestContext": "user-1"}, id="request context of another type"),
        pytest.param({"requestContext": {}}, id="no authorizer"),
        pytest.param(event(None), id="null authorizer"),
        pytest.param(event("user-1"), id="authorizer of another type"),
        pytest.param(event(["user_id"]), id="authorizer in a list"),
        pytest.param(event({}), id="empty context"),
        pytest.param(event({"user_id": None}), id="null user"),
        pytest.param(event({"user_id": ""}), id="empty user"),
        pytest.param(event({"user_id": 1}), id="user of another type"),
        pytest.param(event({"user_id": ["user-1"]}), id="user in a list"),
        pytest.param(event({"USER_ID": "user-1"}), id="another spelling"),
        pytest.param(event({"claims": {"sub": "user-1", "user_id": "user-1"}}), id="another authorizer's claims"),
        pytest.param(event({"jwt": {"claims": {"sub": "user-1"}}}), id="an HTTP API's claims"),
        pytest.param(event({"principalId": "user-1"}), id="principal alone"),
        pytest.param({**event(None), "headers": {"user_id": "user-1", "x-user-id": "user-1"}}, id="headers"),
        pytest.param({**event(None), "queryStringParameters": {"user_id": "user-1"}}, id="query"),
        pytest.param({**event(None), "body": '{"user_id":"user-1"}'}, id="body"),
        pytest.param({**event(None), "user_id": "user-1", "authorizer": {"user_id": "user-1"}}, id="event itself"),
        pytest.param({"requestContext": {"identity": {"user": "u", "userArn": "arn"}}}, id="IAM identity"),
    ],
)
def test_nothing_else_makes_a_user(claimed: dict[str, Any]) -> None:
    with pytest.raises(UnauthorizedError):
        identity_from_event(claimed)


class TestScope:
    IDENTITY = Identity("user-1", "ada", frozenset({"openid", "mfa/manage"}))

    @pytest.mark.parametrize("scope", [None, "openid", "mfa/manage"])
    def test_allowed(self, scope: str | None) -> None:
        self.IDENTITY.require_scope(scope)

    @pytest.mark.parametrize("scope", ["mfa", "mfa/manage/all", "MFA/MANAGE", "openid mfa/manage", ""])
    def test_refused_unless_it_is_exactly_one_of_them(self, scope: str) -> None:
        with pytest.raises(InsufficientScopeError) as caught:
            self.IDENTITY.require_scope(scope)
        assert caught.value.required_scope == scope
