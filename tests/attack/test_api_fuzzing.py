"""Requests to the deployed API that are generated from its description, at random and in every state of a user."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.shared.contract import ENDPOINTS, Endpoint
from local.stack import Stack
from tests.support.api_fuzzing import REACHABLE, AnyCase, Offer, State, Subject, any_case, edge_cases, offers
from tests.support.http_user import HttpUser
from tests.support.stack import Aws

ROUTES = pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)
#: For each route. At 25 to 100 ms a request.
RANDOM_REQUESTS = 100

pytestmark = [pytest.mark.e2e, pytest.mark.attack]


@pytest.fixture(scope="module")
def subject(stack: Stack, aws: Aws, new_user: Callable[[str], HttpUser]) -> Subject:
    return Subject(new_user("api-fuzzing@example.com"), aws, stack.table_name, stack.api_url)


@ROUTES
def test_each_edge_of_the_description_is_answered_as_described_in_every_state(
    route: Endpoint, subject: Subject
) -> None:
    for case in edge_cases(route):
        for state in State:
            for offer in offers(case):
                subject.send(route, case, state, offer)


@ROUTES
def test_what_is_generated_is_answered_as_described(route: Endpoint, subject: Subject) -> None:
    @settings(
        max_examples=RANDOM_REQUESTS,
        phases=[Phase.generate],  # against a stack that has a clock, a smaller example may be another one
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=any_case(route), state=st.sampled_from(State), offer=st.sampled_from(Offer))
    def send(case: AnyCase, state: State, offer: Offer) -> None:
        subject.send(route, case, state, offer)

    send()


def test_every_answer_was_reached_and_none_was_a_failure(subject: Subject, report: Callable[[str, str], None]) -> None:
    rows = []
    for route in ENDPOINTS:
        statuses = {status: number for (seen, status), number in subject.seen.items() if seen is route}
        assert statuses.keys() == REACHABLE[route]
        counted = ", ".join(f"{number} x {status}" for status, number in sorted(statuses.items()))
        rows.append(f"| `{route.method} {route.path}` | {sum(statuses.values())} | {counted} |")
    text = f"""\
Schemathesis generates requests from `docs/openapi.json`: the edges of every schema, header and method, and
{RANDOM_REQUESTS} random requests a route, with right codes among them; in {len(State)} states of a user:
{", ".join(State)}. Every answer is one that the description allows, member for member; a body is refused exactly
when the description calls it invalid; none is a 5xx.

| Route | Requests | Answers |
|---|---|---|
"""
    report("Requests generated from the description", text + "\n".join(rows))
