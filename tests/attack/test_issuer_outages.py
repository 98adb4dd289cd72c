"""While the issuer's keys cannot be fetched, no token is accepted and none is rejected as invalid.

``tests/jwt_authorizer/test_keys.py`` tests more kinds of outage on the function itself, and the time between fetches:
the emulated AWS ends the process of a function that raises, and with it the memory of earlier fetches.
"""

import time
from collections.abc import Callable
from typing import Final

import pytest
import urllib3

from functions.shared.contract import AUTHORIZER_FUNCTION, STATUS, Env, ErrorCode, Metric
from local.stack import Stack
from tests.support.http_user import NewUser
from tests.support.jwks_server import (
    Behaviour,
    Exchange,
    answering,
    answering_keys,
    hanging,
    jwks_servers,
    resetting,
    truncated,
)
from tests.support.metrics import emitted_metrics
from tests.support.released import released
from tests.support.stack import Aws, every_function_log_since


def stalling(exchange: Exchange) -> None:
    """Send the head and one byte of the body."""
    exchange.send_response(200)
    exchange.end_headers()
    exchange.wfile.write(b"{")
    exchange.jwks.stopping.wait()


OUTAGES: Final[dict[str, Behaviour]] = {
    "5xx": answering(503, b"{}"),
    "reset": resetting,
    "hanging": hanging,
    "stalling": stalling,
    "short": answering(200, b'{"keys":[{"kty":"RS'),
    "cut": truncated,
}

pytestmark = pytest.mark.e2e


@pytest.mark.attack
def test_an_outage_of_the_issuer_is_a_503_and_ends_with_the_outage(
    stack: Stack,
    aws: Aws,
    new_user: NewUser,
    report: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    user = new_user("outage@example.com")
    authorizer = stack.functions[AUTHORIZER_FUNCTION]
    timeout = aws.client("lambda").get_function_configuration(FunctionName=authorizer)["Timeout"]
    keys = urllib3.request("GET", stack.jwks_url).json()["keys"]
    seconds_by_outage = {}
    for name, outage in OUTAGES.items():
        with jwks_servers() as serve:
            issuer = serve()
            issuer.keys, issuer.behaviour = keys, outage
            with released(aws, authorizer, {Env.JWT_JWKS_URL: issuer.url}):
                logged_since = int(time.time() * 1000)
                began = time.monotonic()
                answer = user.call(STATUS)
                seconds = time.monotonic() - began
                assert (answer.status, answer.error) == (503, ErrorCode.SERVICE_UNAVAILABLE), name
                assert answer.headers["Retry-After"]
                assert seconds < timeout, name
                assert issuer.fetches == 1
                text = "\n".join(
                    message
                    for function, message in every_function_log_since(aws, logged_since)
                    if function == authorizer
                )
                metrics = emitted_metrics(text, environment=stack.environment)
                assert metrics == {Metric.JWKS_FETCH_FAILURES: 1}, name
                issuer.behaviour = answering_keys
                assert user.call(STATUS).status == 200
                issuer.behaviour = outage
                assert user.call(STATUS).status == 200
        seconds_by_outage[name] = seconds
        say(f"{len(seconds_by_outage)} of {len(OUTAGES)} outages")
    waits = ", ".join(f"{name} in {seconds:.1f} s" for name, seconds in seconds_by_outage.items())
    report(
        "Outages of the token issuer",
        f"""
A new authorizer process got a failing JWKS endpoint, in {len(OUTAGES)} ways: {waits}. The response was a 503 with
`Retry-After` each time, after one fetch, counted by `{Metric.JWKS_FETCH_FAILURES}`. Once the endpoint worked, requests
succeeded, and they went on succeeding when it failed again.
""",
    )
