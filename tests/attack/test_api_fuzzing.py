"""Random requests to the deployed API, generated from its description, in every state of a user."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.shared.contract import ENDPOINTS, Endpoint
from local.stack import Stack
from tests.support.api_fuzzing import AnyCase, Offer, State, Subject, any_case
from tests.support.http_user import NewUser
from tests.support.stack import Aws

#: For each route. At 25 to 100 ms a request.
RANDOM_REQUESTS = 150

pytestmark = [pytest.mark.e2e, pytest.mark.attack]


def test_random_requests_get_the_described_responses(
    stack: Stack, aws: Aws, new_user: NewUser, report: Callable[[str, str], None]
) -> None:
    subject = Subject(new_user("api-fuzzing@example.com"), aws, stack.table_name, stack.api_url)

    def fuzz(route: Endpoint) -> None:
        @settings(
            max_examples=RANDOM_REQUESTS,
            phases=[Phase.generate],  # a stack has a clock, so that a smaller example may behave differently
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=any_case(route), state=st.sampled_from(State), offer=st.sampled_from(Offer))
        def send(case: AnyCase, state: State, offer: Offer) -> None:
            subject.send(route, case, state, offer)

        send()

    for route in ENDPOINTS:
        fuzz(route)
    counts = {
        route: {status: subject.seen[route, status] for status in sorted(subject.statuses(route))}
        for route in ENDPOINTS
    }
    rows = [
        f"| `{route.method} {route.path}` | {', '.join(f'{number} x {status}' for status, number in seen.items())} |"
        for route, seen in counts.items()
    ]
    assert all(sum(seen.values()) >= RANDOM_REQUESTS // 2 for seen in counts.values()), counts
    text = f"""\
Schemathesis generated {RANDOM_REQUESTS} random requests for each route from `docs/openapi.json`, with valid codes among
them, in {len(State)} states of a user. Every response matched the description, invalid bodies were refused and valid
ones were not, and no response was a 5xx.

| Route | Responses |
|---|---|
"""
    report("Random requests", text + "\n".join(rows))
