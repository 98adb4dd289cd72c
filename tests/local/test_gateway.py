import json
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import urllib3

from functions.shared.contract import REQUIRED_SCOPE_HEADER, RESPONSE_HEADERS
from functions.shared.errors import ApiError
from local.emulator.gateway import DROPPED_HEADERS, MAX_HEADER_BYTES, RENAMED_HEADERS
from tests.support.emulator import Deployed, Emulator, eventually, function, resource
from tools.openapi.examples import error_examples

_AUTHORIZER = """
import json
def handler(event, context):
    asked = event["headers"].get("authorization", "")
    effect = "Allow" if asked == "allow" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}
    seen = {key: str(event["requestContext"].get(key)) for key in ("requestId", "path", "requestTimeEpoch")}
    return {
        "principalId": "somebody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"timestamp": "2024-01-20T10:00:00Z", **seen},
    }
"""
_FUNCTION = """
import json, time
def handler(event, context):
    asked = event["headers"].get("x-ask")
    if asked == "raise":
        raise RuntimeError("a secret")
    if asked == "hang":
        time.sleep(10)
    if asked == "nothing":
        return None
    headers = {"WWW-Authenticate": "Bearer", "via": "a proxy", "X-Other": "kept"} if asked == "headers" else {}
    many = {"Date": ["Tue, 01 Jan 2030 00:00:00 GMT"]} if asked == "headers" else {}
    body = json.dumps(event["requestContext"])
    return {"statusCode": 200, "headers": headers, "multiValueHeaders": many, "body": body}
"""
_VARIABLES = {
    "request_id": "$context.requestId",
    "timestamp": "$context.authorizer.timestamp",
    "braces": "${context.authorizer.timestamp}",
    "absent": "$context.authorizer.no_such_key",
    "seen": "$context.authorizer.requestId",
    "time": "$context.requestTime",
    "epoch": "$context.requestTimeEpoch",
    "type": "$context.error.responseType",
    "extended": "$context.extendedRequestId",
}
#: The template that `add_cors_preflight` of aws-cdk-lib writes for two origins.
_PREFLIGHT_TEMPLATE = """#set($origin = $input.params().header.get("Origin"))
#if($origin == "")
  #set($origin = $input.params().header.get("origin"))
#end
#if($origin == "https://second.example")
  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)
#end"""


def _gateway_response(kind: str, **status: str) -> dict[str, Any]:
    templates = {"application/json": json.dumps(_VARIABLES)}
    headers = {f"gatewayresponse.header.X-{name}": f"context.authorizer.{name}" for name in ("timestamp", "absent")}
    content = {"ResponseParameters": headers, "ResponseTemplates": templates}
    return resource("ApiGateway::GatewayResponse", **_API, ResponseType=kind, **content, **status)


def _method(name: str, **properties: Any) -> dict[str, Any]:
    return resource("ApiGateway::Method", **_API, ResourceId={"Ref": "Resource"}, HttpMethod=name, **properties)


def _integration(logical_id: str) -> dict[str, Any]:
    path = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${" + logical_id + ".Arn}/invocations"
    return {"Fn::Sub": path}


_API = {"RestApiId": {"Ref": "Api"}}
_PREFLIGHT = {
    "Type": "MOCK",
    "RequestTemplates": {"application/json": "{ statusCode: 200 }"},
    "IntegrationResponses": [
        {
            "StatusCode": "204",
            "ResponseParameters": {"method.response.header.Access-Control-Allow-Origin": "'https://first.example'"},
            "ResponseTemplates": {"application/json": _PREFLIGHT_TEMPLATE},
        }
    ],
}


@pytest.fixture(scope="module")
def deployed(emulator: Emulator) -> Iterator[Deployed]:
    resources = {
        "Authorize": function(_AUTHORIZER),
        "Answer": function(_FUNCTION, Timeout=1),
        "Api": resource("ApiGateway::RestApi", Name="gateway-test"),
        "Authorizer": resource(
            "ApiGateway::Authorizer",
            **_API,
            Name="test",
            Type="REQUEST",
            AuthorizerUri=_integration("Authorize"),
            AuthorizerResultTtlInSeconds=0,
        ),
        "Resource": resource(
            "ApiGateway::Resource", **_API, ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]}, PathPart="thing"
        ),
        "Post": _method(
            "POST",
            AuthorizationType="CUSTOM",
            AuthorizerId={"Ref": "Authorizer"},
            Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": _integration("Answer")},
        ),
        "Options": _method("OPTIONS", AuthorizationType="NONE", Integration=_PREFLIGHT),
        "Denied": _gateway_response("ACCESS_DENIED", StatusCode="401"),
        "ServerError": _gateway_response("DEFAULT_5XX"),
        "NoSuchPath": _gateway_response("MISSING_AUTHENTICATION_TOKEN", StatusCode="404"),
    }
    deployment = resource("ApiGateway::Deployment", **_API) | {"DependsOn": list(resources)}
    stage = resource("ApiGateway::Stage", **_API, DeploymentId={"Ref": "Deployment"}, StageName="v1")
    stack = emulator.deploy(resources | {"Deployment": deployment, "Stage": stage})
    yield stack
    stack.delete()


@pytest.fixture
def url(deployed: Deployed) -> str:
    return f"{deployed.emulator.url}/_aws/execute-api/{deployed.physical_id('Api')}/v1"


def _post(url: str, authorization: str = "allow", ask: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        "POST", f"{url}/thing", headers={"Authorization": authorization, "X-Ask": ask, **headers}, retries=False
    )


def test_function_and_client_see_the_same_request_id(url: str) -> None:
    response = _post(url)
    assert response.status == 200
    assert response.json()["requestId"] == response.headers["x-amzn-requestid"]


@pytest.mark.parametrize("authorization", ["allow", "deny"])
def test_a_caller_can_choose_the_request_id_but_not_the_extended_one(url: str, authorization: str) -> None:
    chosen = str(uuid.uuid4())
    first, second = (_post(url, authorization, **{"X-Amzn-RequestId": chosen}) for _ in range(2))

    for response in (first, second):
        body = response.json()
        assert body.get("requestId", body.get("request_id")) == response.headers["x-amzn-requestid"] == chosen
    extended = [each.json().get("extendedRequestId") or each.json()["extended"] for each in (first, second)]
    assert extended[0] != extended[1]
    assert chosen not in extended


def test_a_chosen_request_id_that_is_no_uuid_is_ignored(url: str) -> None:
    response = _post(url, **{"X-Amzn-RequestId": "chosen"})
    assert response.json()["requestId"] == response.headers["x-amzn-requestid"] != "chosen"


def test_headers_that_the_gateway_keeps_for_itself_are_renamed_or_dropped(url: str) -> None:
    headers = _post(url, ask="headers").headers
    assert headers["x-amzn-Remapped-WWW-Authenticate"] == "Bearer"
    assert headers["x-amzn-Remapped-Date"].endswith("2030 00:00:00 GMT")
    assert headers["X-Other"] == "kept"
    assert "WWW-Authenticate" not in headers
    assert "via" not in headers
    assert "2030" not in headers["Date"]


def test_functions_send_no_header_that_the_gateway_keeps_for_itself() -> None:
    examples = (each for error in ApiError.__subclasses__() for each in error_examples(error).values())
    sent = {*RESPONSE_HEADERS, *(name for example in examples for name in example.headers())}
    assert REQUIRED_SCOPE_HEADER in sent
    assert not {name.lower() for name in sent} & (RENAMED_HEADERS | DROPPED_HEADERS)


def test_authorizer_sees_the_request_as_the_function_does(url: str) -> None:
    context = _post(url).json()
    seen = context["authorizer"]
    assert (seen["requestId"], seen["path"]) == (context["requestId"], "/v1/thing")
    assert seen["requestTimeEpoch"] == str(context["requestTimeEpoch"])


def test_a_gateway_response_has_the_authorizers_context(url: str) -> None:
    response = _post(url, "deny")
    body = response.json()
    assert response.status == 401
    assert (body["timestamp"], body["braces"]) == ("2024-01-20T10:00:00Z",) * 2
    assert body["absent"] == ""
    assert response.headers["X-timestamp"] == "2024-01-20T10:00:00Z"
    assert "X-absent" not in response.headers
    assert body["request_id"] == body["seen"] == response.headers["x-amzn-requestid"]


def test_a_gateway_response_has_the_request_time(url: str) -> None:
    body = _post(url, "deny").json()
    shown = datetime.strptime(body["time"], "%d/%b/%Y:%H:%M:%S %z").timestamp()
    assert shown == int(body["epoch"]) // 1000
    assert abs(shown - time.time()) < 60


def test_context_of_one_request_does_not_reach_the_next(url: str) -> None:
    assert _post(url, "deny").json()["timestamp"]
    assert urllib3.request("GET", f"{url}/nowhere").json()["timestamp"] == ""


@pytest.mark.parametrize("failure", ["raise", "hang", "nothing"])
def test_a_failing_function_is_a_502_without_details(url: str, failure: str) -> None:
    response = _post(url, ask=failure)
    assert (response.status, response.json()["type"]) == (502, "DEFAULT_5XX")
    assert b"secret" not in response.data
    assert response.json()["request_id"] == response.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://first.example", "https://first.example"),
        ("https://second.example", "https://second.example"),
        ("https://other.example", "https://first.example"),
        ("", "https://first.example"),
    ],
)
def test_preflight_allows_each_of_several_origins(url: str, origin: str, allowed: str) -> None:
    response = urllib3.request("OPTIONS", f"{url}/thing", headers={"Origin": origin} if origin else {})
    assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, allowed)
    assert "content-length" not in response.headers or response.headers["content-length"] == "0"


def test_head_below_the_limit_passes(url: str) -> None:
    assert _post(url, **{"X-Large": "a" * (MAX_HEADER_BYTES - 1000)}).status == 200


def test_requests_are_counted_by_kind_of_response(url: str, emulator: Emulator) -> None:
    def total(metric: str) -> float:
        return emulator.total("AWS/ApiGateway", metric, ApiName="gateway-test", Stage="v1")

    before = {metric: total(metric) for metric in ("Count", "4XXError", "5XXError", "Latency")}
    _post(url)
    _post(url, "deny")
    _post(url, ask="raise")
    eventually(lambda: total("Count") == before["Count"] + 3)
    assert total("4XXError") == before["4XXError"] + 1
    assert total("5XXError") == before["5XXError"] + 1
    assert total("Latency") > before["Latency"]
