"""A region on standby: its API is closed, so that no code is accepted there while another region accepts it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from copy import deepcopy
from email.message import Message
from typing import Any

import pytest

from functions.shared import contract
from tests.infra.deployments import SECOND_REGION, deployment
from tests.infra.synthesis import Stack
from tests.infra.test_api import methods
from tests.support.emulator import emulator_below

#: What an API consists of that calls no function.
_PARTS = ("RestApi", "Resource", "Method", "Deployment", "Stage", "GatewayResponse")


@pytest.fixture(scope="module")
def standby() -> Stack:
    return deployment(SECOND_REGION).service


@pytest.fixture(scope="module")
def url(standby: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Deploy the API of a region on standby, without anything else, and return its URL."""
    kept = {name: deepcopy(each) for name, each in standby.template["Resources"].items() if _is_part(each)}
    for each in kept.values():
        each["DependsOn"] = [name for name in each.get("DependsOn", ()) if name in kept]
        each["Properties"].pop("AccessLogSetting", None)
    (api,) = (name for name, each in kept.items() if each["Type"].endswith("::RestApi"))
    with emulator_below(tmp_path_factory.mktemp("standby")) as emulator:
        deployed = emulator.deploy(kept, {"Api": {"Ref": api}})
        yield f"{emulator.url}/_aws/execute-api/{deployed.outputs['Api']}/{contract.STAGE_NAME}"


def _is_part(resource: dict[str, Any]) -> bool:
    return resource["Type"] in {f"AWS::ApiGateway::{part}" for part in _PARTS}


def _call(url: str, method: str, headers: dict[str, str]) -> tuple[int, Message, str]:
    request = urllib.request.Request(url, data=b"{}" if method == "POST" else None, headers=headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_no_route_reaches_a_function(standby: Stack) -> None:
    assert {method["Integration"]["Type"] for method in methods(standby).values()} == {"MOCK"}
    closed = [method["Integration"] for (verb, _), method in methods(standby).items() if verb != "OPTIONS"]
    assert {each["RequestTemplates"]["application/json"] for each in closed} == {'{"statusCode": 503}'}
    assert not standby.resources("AWS::Lambda::Permission")
    assert not standby.resources("AWS::ApiGateway::Authorizer")


def test_the_functions_are_ready(standby: Stack) -> None:
    functions = {each["FunctionName"]["Ref"] for each in standby.unresolved("AWS::Lambda::Alias")}

    assert functions == set(standby.resources("AWS::Lambda::Function"))
    assert len(functions) == len(contract.ENDPOINTS) + 1  # and the authorizer


@pytest.mark.e2e
@pytest.mark.parametrize("endpoint", contract.ENDPOINTS, ids=lambda endpoint: endpoint.function)
def test_every_route_returns_503_whatever_is_sent(url: str, endpoint: contract.Endpoint) -> None:
    status, headers, body = _call(
        f"{url}{endpoint.path}", endpoint.method, {"Authorization": "Bearer x", "Content-Type": "application/json"}
    )
    error = json.loads(body)

    assert (status, error["error"]) == (503, "SERVICE_UNAVAILABLE")
    assert set(error) == {"error", "message", "request_id", "timestamp"}
    assert "$" not in body
    assert headers["Retry-After"] == "2"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Access-Control-Allow-Origin"] == "https://ailifestyle.app"
