"""Services that accept a connection and never respond: the caller gets a 503 well inside the function's timeout."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from functions.shared.contract import SETUP, STATUS, Endpoint
from functions.shared.errors import ServiceUnavailableError
from functions.shared.races import LOST_SIGNING_RACE_SECONDS
from functions.shared.settings import KmsKey
from functions.shared.signing import SIGNING_SECONDS, KmsSigner
from infra.config import ENVIRONMENTS
from tests.support.events import api_event

#: Calls of the longest route, one after the other.
CALLS = 3


@contextmanager
def silent_service() -> Iterator[str]:
    """Accept connections without reading or writing."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopping = threading.Event()

        def accept() -> None:
            listener.settimeout(0.1)
            while not stopping.is_set():
                try:
                    kept.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopping.set()
            thread.join()
            for connection in kept:
                connection.close()


@pytest.mark.parametrize(("route", "service"), [(SETUP, "KMS"), (STATUS, "DYNAMODB")], ids=["kms", "dynamodb"])
def test_a_service_that_hangs_is_a_503_in_time(
    load_handler: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, route: Endpoint, service: str
) -> None:
    with silent_service() as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        handler = load_handler(route.function)
        started = time.monotonic()
        response = handler.lambda_handler(api_event(route), None)
        took = time.monotonic() - started
    assert response["statusCode"] == 503
    assert json.loads(response["body"])["error"] == "SERVICE_UNAVAILABLE"
    assert took * CALLS < 0.8 * ENVIRONMENTS["prod"].timeout_seconds


def test_a_signature_that_hangs_ends_before_the_requests_that_lose_a_race_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with silent_service() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", url)
        signer = KmsSigner(KmsKey("arn:aws:kms:us-east-1:123456789012:key/k"))
        started = time.monotonic()
        with pytest.raises(ServiceUnavailableError):
            signer.sign(b"message")
        took = time.monotonic() - started
    assert took < SIGNING_SECONDS < LOST_SIGNING_RACE_SECONDS
