"""The setting ``max_auth_age_seconds``: a session left open cannot add, replace or remove a second factor."""

from typing import Any

import pytest

from functions.shared.contract import (
    BACKUP_CODES,
    DISABLE,
    ENDPOINTS,
    SETUP,
    STATUS,
    VERIFY,
    VERIFY_SETUP,
    Endpoint,
)
from tests.support.authorizer import Authorizer, LoadAuthorizer, effect
from tests.support.tokens import ABSENT, NOW, claims, rsa_key

RSA = rsa_key("rsa-1")
CHANGES = (SETUP, DISABLE, BACKUP_CODES)
MAX_AGE = 300


@pytest.fixture
def strict(load_authorizer: LoadAuthorizer) -> Authorizer:
    return load_authorizer(JWT_MAX_AUTH_AGE_SECONDS=str(MAX_AGE))


def answer(authorizer: Authorizer, route: Endpoint, auth_time: Any) -> dict[str, Any]:
    return authorizer.call(RSA.token(claims(auth_time=auth_time)), route=route)


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.function)
@pytest.mark.parametrize("age", [0, 1, MAX_AGE, -30], ids=lambda age: f"{age} s old")
def test_a_recent_login_may_change_factors(strict: Authorizer, route: Endpoint, age: int) -> None:
    assert effect(answer(strict, route, NOW - age)) == "Allow"


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.function)
@pytest.mark.parametrize(
    "auth_time",
    [NOW - MAX_AGE - 1, 0, NOW + 31, NOW * 1000, ABSENT, None, True, str(NOW), "2027-01-15T08:00:00Z", [NOW]],
    ids=repr,
)
def test_any_other_may_not_and_is_asked_for_a_recent_one(strict: Authorizer, route: Endpoint, auth_time: Any) -> None:
    refused = answer(strict, route, auth_time)
    assert effect(refused) == "Deny"
    assert refused["context"]["challenge"] == (
        'Bearer error="insufficient_user_authentication", '
        'error_description="A more recent login is required", max_age="300"'
    )


@pytest.mark.parametrize("route", [VERIFY_SETUP, VERIFY, STATUS], ids=lambda route: route.function)
@pytest.mark.parametrize("auth_time", [NOW - 90_000, ABSENT], ids=["old", "absent"])
def test_logging_in_needs_no_recent_login(strict: Authorizer, route: Endpoint, auth_time: Any) -> None:
    assert effect(answer(strict, route, auth_time)) == "Allow"


@pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)
@pytest.mark.parametrize("auth_time", [0, ABSENT, "2027-01-15T08:00:00Z"], ids=repr)
def test_without_the_setting_any_login_will_do(authorizer: Authorizer, route: Endpoint, auth_time: Any) -> None:
    assert effect(answer(authorizer, route, auth_time)) == "Allow"


def test_a_token_that_is_invalid_anyway_gets_the_plain_challenge(strict: Authorizer) -> None:
    assert strict.call(route=SETUP)["context"]["challenge"] == "Bearer"


@pytest.mark.parametrize("value", ["29", "86401", "-1", "5m", "1e3"])
def test_an_invalid_age_is_refused_at_start_up(load_authorizer: LoadAuthorizer, value: str) -> None:
    with pytest.raises(Exception, match="JWT_MAX_AUTH_AGE_SECONDS: expected whole seconds from 30 to 86400"):
        load_authorizer(JWT_MAX_AUTH_AGE_SECONDS=value)
