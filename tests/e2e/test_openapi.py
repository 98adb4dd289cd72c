"""The deployed API and ``docs/openapi.json`` agree, for any request in any state of a user.

The long, random part is in ``tests/attack/test_api_fuzzing.py``.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import pytest

from functions.shared.contract import ENDPOINTS, STATUS, Endpoint, Env
from local.emulator.gateway import MAX_HEADER_BYTES
from local.stack import Stack
from tests.support.api_description import GATEWAY_TIME, assert_described, described_answers
from tests.support.api_fuzzing import REACHABLE, State, Subject, edge_cases, is_positive, offers
from tests.support.http_user import NewUser
from tests.support.released import released
from tests.support.stack import Api, Aws

#: The gateway's own responses, by name; they are the same on every route.
BY_GATEWAY = {each.name: each for each in described_answers() if each.by_gateway}
#: Environment variables of a function that cause them.
FAILING_FUNCTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "authorizerFailure": ("jwt_authorizer", {Env.JWT_JWKS_URL: "http://127.0.0.1:9/jwks.json"}),
    "default5Xx": (STATUS.function, {Env.LOG_LEVEL: "no such level"}),
}
#: The embedded gateway neither throttles nor has a firewall.
NOT_CAUSED_HERE = {"throttled": "THROTTLED", "wafFiltered": "WAF_FILTERED"}


@pytest.fixture(scope="module")
def subject(stack: Stack, aws: Aws, new_user: NewUser) -> Subject:
    return Subject(new_user("openapi@example.com"), aws, stack.table_name, stack.api_url)


@pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)
def test_edge_cases_get_the_described_responses(route: Endpoint, subject: Subject) -> None:
    states = list(State)
    for number, case in enumerate(edge_cases(route)):
        if is_positive(case):
            for state in states:
                for offer in offers(case):
                    subject.send(route, case, state, offer)
        else:
            subject.send(route, case, states[number % len(states)])
    assert subject.statuses(route) == REACHABLE[route]


@pytest.mark.parametrize("name", sorted(BY_GATEWAY.keys() - NOT_CAUSED_HERE.keys()))
def test_the_gateway_responds_as_described(
    name: str, api: Api, aws: Aws, stack: Stack, token_for: Callable[..., str]
) -> None:
    example = BY_GATEWAY[name]
    refused = name == "accessDenied"
    token = token_for("openapi-gateway@example.com")
    headers = {"X-Long": "a" * MAX_HEADER_BYTES} if name == "requestTooLarge" else {}
    change: AbstractContextManager[None] = nullcontext()
    if name in FAILING_FUNCTIONS:
        function, variables = FAILING_FUNCTIONS[name]
        change = released(aws, stack.functions[function], variables)
    with change:
        answer = api.request(STATUS.method, STATUS.path, token=None if refused else token, headers=headers)
    body = answer.json()
    assert (answer.status, body["error"], body["message"]) == (
        example.status,
        example.body["error"],
        example.body["message"],
    )
    assert bool(GATEWAY_TIME.fullmatch(body["timestamp"])) is not refused
    assert_described(STATUS, answer.status, answer.headers, body)
    # The change is undone.
    assert api.request(STATUS.method, STATUS.path, token=token).status == 200


def test_the_gateways_responses_are_described_alike_on_every_route() -> None:
    found = {(each.route, each.name): (each.status, each.body) for each in described_answers() if each.by_gateway}
    names = {name for _, name in found}
    assert found == {(route, name): found[STATUS, name] for route in ENDPOINTS for name in names}
