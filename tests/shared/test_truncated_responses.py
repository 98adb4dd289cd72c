"""Truncated responses of AWS in well-formed HTTP are never read as empty ones.

botocore reads a body that is not JSON as an empty one. For a read this would mean: this user has no second factor.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import ModuleType

import pytest

from functions.shared.contract import DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from tests.support.events import api_event
from tests.support.life_cycle import User


@contextmanager
def answering(*bodies: bytes) -> Iterator[str]:
    """Respond to every request with 200 and the next of the bodies; the last one is repeated."""
    left = list(bodies)

    class Exchange(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name in http.server
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Exchange) as listener:
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}"
        finally:
            listener.shutdown()
            thread.join()


@pytest.mark.parametrize("body", [b"", b'{"Item":{"pk":{"S":"USER#us', b'{"Item"', b"<html>"], ids=repr)
@pytest.mark.parametrize("route", [STATUS, VERIFY, VERIFY_SETUP, DISABLE], ids=lambda route: route.path)
def test_half_a_record_is_not_no_record(
    load_handler: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, route: Endpoint, body: bytes
) -> None:
    with answering(body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        response = load_handler(route.function).lambda_handler(api_event(route, body={"code": "123456"}), None)
    assert response["statusCode"] == 503
    assert json.loads(response["body"])["error"] == "SERVICE_UNAVAILABLE"


def test_half_an_answer_is_asked_for_again(
    load_handler: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(b'{"Item":{"pk":', b"{}", b'{"Item":{"pk":') as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        response = load_handler(STATUS.function).lambda_handler(api_event(STATUS), None)
    assert response["statusCode"] == 200


def test_an_answer_without_a_record_is_none(
    load_handler: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(b"{}") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        response = load_handler(STATUS.function).lambda_handler(api_event(STATUS), None)
    assert json.loads(response["body"])["state"] == "DISABLED"


@pytest.mark.parametrize("body", [b"", b'{"CiphertextBlob":"AQ', b'{"KeyId":"arn:aws:kms'], ids=repr)
def test_half_a_data_key_is_a_failure_of_kms(
    enrolled: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: bytes
) -> None:
    with answering(body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", url)
        other = User(enrolled.load, enrolled.user_id, now=enrolled.now, secret=enrolled.secret)
        answers = [other.call(SETUP), other.verify()]
    monkeypatch.delenv("AWS_ENDPOINT_URL_KMS")
    assert [answer.status for answer in answers] == [503, 503]
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"operation"' in line]
    assert [line["operation"] for line in logged] == ["kms:GenerateDataKey", "kms:Decrypt"]
