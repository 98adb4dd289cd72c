"""Truncated responses of AWS in well-formed HTTP are never read as empty ones.

botocore reads a body that is not JSON as an empty one. For a read this would mean: this user has no second factor.
"""

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from functions.shared.contract import DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from tests.support.events import api_event
from tests.support.jwks_server import JwksServer, answering, jwks_servers
from tests.support.life_cycle import User

type Get = Callable[[Endpoint], dict[str, Any]]


@pytest.fixture
def service() -> Iterator[JwksServer]:
    with jwks_servers() as serve:
        yield serve()


@pytest.fixture
def get(service: JwksServer, load_handler: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Get:
    """Return a function that calls a route for which the service is DynamoDB."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", service.origin)

    def get(route: Endpoint) -> dict[str, Any]:
        response = load_handler(route.function).lambda_handler(api_event(route, body={"code": "123456"}), None)
        return {"status": response["statusCode"], **json.loads(response["body"])}

    return get


@pytest.mark.parametrize("body", [b"", b'{"Item":{"pk":{"S":"USER#us', b'{"Item"', b"<html>"], ids=repr)
@pytest.mark.parametrize("route", [STATUS, VERIFY, VERIFY_SETUP, DISABLE], ids=lambda route: route.path)
def test_half_a_record_is_not_no_record(service: JwksServer, get: Get, route: Endpoint, body: bytes) -> None:
    service.behaviour = answering(200, body)
    response = get(route)
    assert (response["status"], response["error"]) == (503, "SERVICE_UNAVAILABLE")


def test_half_an_answer_is_asked_for_again(service: JwksServer, get: Get) -> None:
    """The second response is complete, and has no record."""
    bodies = iter([b'{"Item":{"pk":', b"{}"])
    service.behaviour = lambda exchange: exchange.answer(200, next(bodies))
    assert get(STATUS)["state"] == "DISABLED"


@pytest.mark.parametrize("body", [b"", b'{"CiphertextBlob":"AQ', b'{"KeyId":"arn:aws:kms'], ids=repr)
def test_half_a_data_key_is_a_failure_of_kms(
    service: JwksServer,
    enrolled: User,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: bytes,
) -> None:
    service.behaviour = answering(200, body)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", service.origin)
    other = User(enrolled.load, enrolled.user_id, now=enrolled.now, secret=enrolled.secret)
    answers = [other.call(SETUP), other.verify()]
    assert [answer.status for answer in answers] == [503, 503]
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"operation"' in line]
    assert [line["operation"] for line in logged] == ["kms:GenerateDataKey", "kms:Decrypt"]
