import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import urllib3

from local.emulator.gateway import MAX_BODY_BYTES, MAX_HEADER_BYTES
from tests.support.emulator import Deployed, Emulator, eventually, function

_AUTHORIZER = """
import json
def handler(event, context):
    asked = event["headers"].get("authorization", "")
    if asked == "raise":
        raise RuntimeError("a secret")
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
    return {"statusCode": 200, "body": json.dumps(event["requestContext"])}
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
}
#: As `add_cors_preflight` of aws-cdk-lib writes it for two origins.
_PREFLIGHT_TEMPLATE = """#set($origin = $input.params().header.get("Origin"))
#if($origin == "")
  #set($origin = $input.params().header.get("origin"))
#end
#if($origin == "https://second.example")
  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)
#end"""


def _gateway_response(kind: str, status: str | None) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "RestApiId": {"Ref": "Api"},
        "ResponseType": kind,
        "ResponseTemplates": {"application/json": json.dumps(_VARIABLES)},
    }
    return {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": properties | ({"StatusCode": status} if status else {}),
    }


def _integration(logical_id: str) -> dict[str, Any]:
    path = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${" + logical_id + ".Arn}/invocations"
    return {"Fn::Sub": path}


@pytest.fixture(scope="module")
def deployed(emulator: Emulator) -> Iterator[Deployed]:
    preflight_headers = {"method.response.header.Access-Control-Allow-Origin": "'https://first.example'"}
    resources: dict[str, Any] = {
        "Authorize": function(_AUTHORIZER),
        "Answer": function(_FUNCTION, Timeout=1),
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "gateway-test"}},
        "Authorizer": {
            "Type": "AWS::ApiGateway::Authorizer",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "Name": "test",
                "Type": "REQUEST",
                "AuthorizerUri": _integration("Authorize"),
                "AuthorizerResultTtlInSeconds": 0,
            },
        },
        "Resource": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "PathPart": "thing",
            },
        },
        "Post": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Ref": "Resource"},
                "HttpMethod": "POST",
                "AuthorizationType": "CUSTOM",
                "AuthorizerId": {"Ref": "Authorizer"},
                "Integration": {
                    "Type": "AWS_PROXY",
                    "IntegrationHttpMethod": "POST",
                    "Uri": _integration("Answer"),
                },
            },
        },
        "Options": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Ref": "Resource"},
                "HttpMethod": "OPTIONS",
                "AuthorizationType": "NONE",
                "Integration": {
                    "Type": "MOCK",
                    "RequestTemplates": {"application/json": "{ statusCode: 200 }"},
                    "IntegrationResponses": [
                        {
                            "StatusCode": "204",
                            "ResponseParameters": preflight_headers,
                            "ResponseTemplates": {"application/json": _PREFLIGHT_TEMPLATE},
                        }
                    ],
                },
            },
        },
        "Denied": _gateway_response("ACCESS_DENIED", "401"),
        "AuthorizerFailed": _gateway_response("AUTHORIZER_FAILURE", "503"),
        "TooLarge": _gateway_response("REQUEST_TOO_LARGE", "413"),
        "ServerError": _gateway_response("DEFAULT_5XX", None),
        "ClientError": _gateway_response("DEFAULT_4XX", None),
        "NoSuchPath": _gateway_response("MISSING_AUTHENTICATION_TOKEN", "404"),
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": {"RestApiId": {"Ref": "Api"}},
            "DependsOn": [
                *("Post", "Options", "Denied", "AuthorizerFailed"),
                *("TooLarge", "ServerError", "ClientError", "NoSuchPath"),
            ],
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "DeploymentId": {"Ref": "Deployment"},
                "StageName": "v1",
            },
        },
    }
    stack = emulator.deploy(resources)
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
    answer = _post(url)
    assert answer.status == 200
    assert answer.json()["requestId"] == answer.headers["x-amzn-requestid"]


def test_authorizer_sees_the_request_as_the_function_does(url: str) -> None:
    context = _post(url).json()
    seen = context["authorizer"]
    assert (seen["requestId"], seen["path"]) == (context["requestId"], "/v1/thing")
    assert seen["requestTimeEpoch"] == str(context["requestTimeEpoch"])


def test_gateway_response_knows_the_authorizers_context(url: str) -> None:
    answer = _post(url, "deny")
    body = answer.json()
    assert answer.status == 401
    assert (body["timestamp"], body["braces"]) == ("2024-01-20T10:00:00Z",) * 2
    assert body["absent"] == ""
    assert body["request_id"] == body["seen"] == answer.headers["x-amzn-requestid"]


def test_gateway_response_knows_the_request_time(url: str) -> None:
    body = _post(url, "deny").json()
    told = datetime.strptime(body["time"], "%d/%b/%Y:%H:%M:%S %z").timestamp()
    assert told == int(body["epoch"]) // 1000
    assert abs(told - time.time()) < 60


def test_context_of_one_request_does_not_reach_the_next(url: str) -> None:
    assert _post(url, "deny").json()["timestamp"]
    assert urllib3.request("GET", f"{url}/nowhere").json()["timestamp"] == ""


def test_authorizer_that_raises_is_an_authorizer_failure(url: str) -> None:
    answer = _post(url, "raise")
    assert (answer.status, answer.json()["type"]) == (503, "AUTHORIZER_FAILURE")
    assert b"secret" not in answer.data


@pytest.mark.parametrize("method_and_path", ["POST /nowhere", "GET /thing", "DELETE /thing/x"])
def test_unknown_path_or_method_has_a_gateway_response(url: str, method_and_path: str) -> None:
    method, path = method_and_path.split()
    answer = urllib3.request(method, url + path)
    assert (answer.status, answer.json()["type"]) == (404, "MISSING_AUTHENTICATION_TOKEN")


@pytest.mark.parametrize("failure", ["raise", "hang", "nothing"])
def test_function_that_fails_is_a_502_that_tells_nothing(url: str, failure: str) -> None:
    answer = _post(url, ask=failure)
    assert (answer.status, answer.json()["type"]) == (502, "DEFAULT_5XX")
    assert b"secret" not in answer.data
    assert answer.json()["request_id"] == answer.headers["x-amzn-requestid"]


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
    answer = urllib3.request("OPTIONS", f"{url}/thing", headers={"Origin": origin} if origin else {})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, allowed)
    assert "content-length" not in answer.headers or answer.headers["content-length"] == "0"


@pytest.mark.parametrize("size", [MAX_HEADER_BYTES + 1, 100_000])
def test_head_too_large_has_a_gateway_response(url: str, size: int) -> None:
    answer = _post(url, **{"X-Large": "a" * size})
    assert (answer.status, answer.json()["type"]) == (413, "REQUEST_TOO_LARGE")


def test_head_below_the_limit_passes(url: str) -> None:
    assert _post(url, **{"X-Large": "a" * (MAX_HEADER_BYTES - 1000)}).status == 200


def test_body_too_large_has_a_gateway_response(url: str) -> None:
    content = b"a" * (MAX_BODY_BYTES + 1)
    answer = urllib3.request("POST", f"{url}/thing", headers={"Authorization": "allow"}, body=content)
    assert (answer.status, answer.json()["type"]) == (413, "REQUEST_TOO_LARGE")


def test_requests_are_counted_by_kind_of_answer(url: str, emulator: Emulator) -> None:
    def total(metric: str) -> float:
        now = time.time()
        points = emulator.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=metric,
            Dimensions=[{"Name": "ApiName", "Value": "gateway-test"}, {"Name": "Stage", "Value": "v1"}],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    before = {metric: total(metric) for metric in ("Count", "4XXError", "5XXError", "Latency")}
    _post(url)
    _post(url, "deny")
    _post(url, ask="raise")
    eventually(lambda: total("Count") == before["Count"] + 3)
    assert total("4XXError") == before["4XXError"] + 1
    assert total("5XXError") == before["5XXError"] + 1
    assert total("Latency") > before["Latency"]
