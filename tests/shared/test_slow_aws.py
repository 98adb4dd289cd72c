"""Services that accept a connection and never respond: the caller gets a 503 well inside the function's timeout."""

import json
import time
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from functions.shared.contract import SETUP, STATUS, Endpoint
from functions.shared.errors import ServiceUnavailableError
from functions.shared.races import LOST_SIGNING_RACE_SECONDS
from functions.shared.settings import KmsKey
from functions.shared.signing import SIGNING_SECONDS, KmsSigner
from infra.config import ENVIRONMENTS
from tests.support.events import api_event
from tests.support.jwks_server import hanging, jwks_servers

#: Calls of the longest route, one after the other.
CALLS = 3


@pytest.fixture
def silent_service() -> Iterator[str]:
    """Return the URL of a service that never responds."""
    with jwks_servers() as serve:
        service = serve()
        service.behaviour = hanging
        yield service.origin


@pytest.mark.parametrize(("route", "service"), [(SETUP, "KMS"), (STATUS, "DYNAMODB")], ids=["kms", "dynamodb"])
def test_a_service_that_hangs_is_a_503_in_time(
    load_handler: Callable[[str], ModuleType],
    silent_service: str,
    monkeypatch: pytest.MonkeyPatch,
    route: Endpoint,
    service: str,
) -> None:
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", silent_service)
    handler = load_handler(route.function)
    started = time.monotonic()
    response = handler.lambda_handler(api_event(route), None)
    took = time.monotonic() - started
    assert response["statusCode"] == 503
    assert json.loads(response["body"])["error"] == "SERVICE_UNAVAILABLE"
    assert took * CALLS < 0.8 * ENVIRONMENTS["prod"].timeout_seconds


def test_a_signature_that_hangs_ends_before_the_requests_that_lose_a_race_are_answered(
    silent_service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", silent_service)
    signer = KmsSigner(KmsKey("arn:aws:kms:us-east-1:123456789012:key/k"))
    started = time.monotonic()
    with pytest.raises(ServiceUnavailableError):
        signer.sign(b"message")
    took = time.monotonic() - started
    assert took < SIGNING_SECONDS < LOST_SIGNING_RACE_SECONDS
