"""The description calls a request body valid exactly if the code accepts it, apart from letters beyond ASCII."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.shared.contract import BACKUP_CODES, DISABLE, ENDPOINTS, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from functions.shared.errors import ValidationError
from functions.shared.request_body import RequestBody, SecondFactorRequest, TotpRequest, normalised
from tests.support.api_description import is_valid, operation

MODELS: dict[Endpoint, type[RequestBody]] = {
    VERIFY_SETUP: TotpRequest,
    BACKUP_CODES: TotpRequest,
    VERIFY: SecondFactorRequest,
    DISABLE: SecondFactorRequest,
}
ROUTES = pytest.mark.parametrize("route", MODELS, ids=lambda route: route.function)

#: What people type between the characters of a code, and what they might.
_BETWEEN = st.text(st.sampled_from([*" -\t\n\u00a0\u2009\u3000", "_", ".", "\u200b", "\u2013", "\0"]), max_size=2)


@st.composite
def typed(draw: st.DrawFn, characters: str) -> str:
    """Draw a code in which something stands between the characters."""
    code = draw(st.from_regex(characters, fullmatch=True))
    return draw(_BETWEEN) + "".join(char + draw(_BETWEEN) for char in code)


CODES = st.one_of(
    typed("[0-9]{5,7}"),
    typed("[A-Za-z]{3,5}[0-9]{3,5}"),
    st.from_regex("[0-9]{6}", fullmatch=True),
    st.from_regex("[A-Za-z]{4}-?[0-9]{4}", fullmatch=True),
    st.text(max_size=12),
)
VALUES = CODES | st.none() | st.integers() | st.booleans() | st.lists(CODES, max_size=1)
BODIES = (
    st.dictionaries(st.sampled_from(["code", "backupCode"]), VALUES, min_size=1)
    | st.dictionaries(st.sampled_from(["code", "backupCode", "backup_code", "Code", ""]), VALUES)
    | VALUES
    | st.lists(st.dictionaries(st.just("code"), VALUES))
)


def schema(route: Endpoint) -> Mapping[str, Any]:
    found: Mapping[str, Any] = operation(route)["requestBody"]["content"]["application/json"]["schema"]
    return found


def is_taken(route: Endpoint, body: object) -> bool:
    try:
        MODELS[route].from_event({"body": json.dumps(body)})
    except ValidationError:
        return False
    return True


def with_normalised_codes(body: object) -> object:
    if not isinstance(body, dict):
        return body
    return {name: normalised(value) if isinstance(value, str) else value for name, value in body.items()}


@ROUTES
@given(body=BODIES)
@example(body={"code": "123456"})
@example(body={"code": " 123-456\u00a0"})
@example(body={"code": "\uff11\uff12\uff13\uff14\uff15\uff16"})
@example(body={"code": "123456\n"})
@example(body={"backupCode": "abcd1234"})
@example(body={"backupCode": " a-b-c-d - 1234"})
@example(body={"code": "\u200e12\u2010\u0663456"})
@example(body={"backupCode": "\uff21bcd\u20131234"})
@example(body={"backupCode": "\u017fBCD-1234"})
@example(body={"code": "123456", "backupCode": None})
@example(body={"code": None, "backupCode": "ABCD-1234"})
@example(body={"code": None})
@example(body={"code": None, "backupCode": None})
@example(body={"code": "123456", "backupCode": "ABCD-1234"})
@example(body={"code": "123456", "other": None})
def test_a_valid_body_is_taken_and_any_other_only_for_how_its_code_is_written(route: Endpoint, body: object) -> None:
    taken = is_taken(route, body)
    assert taken == is_valid(schema(route), with_normalised_codes(body))
    if is_valid(schema(route), body):
        assert taken


@ROUTES
def test_the_examples_are_taken(route: Endpoint) -> None:
    examples = operation(route)["requestBody"]["content"]["application/json"]["examples"]
    assert examples
    for each in examples.values():
        assert is_valid(schema(route), each["value"])
        assert is_taken(route, each["value"])


def test_the_other_routes_take_no_body() -> None:
    assert MODELS.keys() | {SETUP, STATUS} == set(ENDPOINTS)
    for route in (SETUP, STATUS):
        assert "requestBody" not in operation(route)
