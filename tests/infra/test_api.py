"""The REST API: who decides on a request, what is logged, and what a browser is told."""

import json
from typing import Any

import pytest

from functions.shared import contract
from infra.outputs import StackId
from tests.infra.synthesis import Stack, Synthesized, synthesize


@pytest.fixture
def service(each: Synthesized) -> Stack:
    return each.stacks[StackId.SERVICE]


def methods(service: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the properties of every method by its verb and path, as the template has them."""
    resources = service.template["Resources"]

    def path(reference: dict[str, Any]) -> str:
        if "Fn::GetAtt" in reference:  # the API's root
            return ""
        properties = resources[reference["Ref"]]["Properties"]
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    found = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::ApiGateway::Method"]
    return {(each["HttpMethod"], path(each["ResourceId"])): each for each in found}


def throttling(service: Stack) -> dict[tuple[str, str], tuple[int, int]]:
    """Return rate and burst by verb and path, as the stage's settings have them."""
    settings = service.only("AWS::ApiGateway::Stage")["Properties"]["MethodSettings"]
    return {
        (each["HttpMethod"], each["ResourcePath"].replace("~1", "/").replace("//", "/")): (
            each["ThrottlingRateLimit"],
            each["ThrottlingBurstLimit"],
        )
        for each in settings
    }


def test_the_routes_are_those_of_the_contract_and_their_preflights(service: Stack) -> None:
    routes = {(endpoint.method, endpoint.path) for endpoint in contract.ENDPOINTS}

    assert set(methods(service)) == routes | {("OPTIONS", path) for _, path in routes}
    assert ("POST", "/auth/mfa/setup") in routes


def test_the_authorizer_decides_on_every_request_but_preflights(service: Stack) -> None:
    for (verb, _), method in methods(service).items():
        if verb == "OPTIONS":
            assert method["AuthorizationType"] == "NONE"
            assert method["Integration"]["Type"] == "MOCK"
        else:
            assert method["AuthorizationType"] == "CUSTOM"
            authorizer = service.template["Resources"][method["AuthorizerId"]["Ref"]]
            assert authorizer["Type"] == "AWS::ApiGateway::Authorizer"


def test_the_authorizer_runs_for_each_request_even_without_a_token(service: Stack) -> None:
    """No cached result; and no identity source, for want of which the gateway would answer by itself."""
    authorizer = service.only("AWS::ApiGateway::Authorizer")["Properties"]

    assert authorizer["Type"] == "REQUEST"
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    assert not authorizer.get("IdentitySource")
    assert "<AWS::Lambda::Alias>" in authorizer["AuthorizerUri"]


def test_each_route_invokes_the_alias_of_its_own_function(service: Stack) -> None:
    resources = service.template["Resources"]
    for endpoint in contract.ENDPOINTS:
        integration = methods(service)[endpoint.method, endpoint.path]["Integration"]
        (alias,) = (part["Ref"] for part in integration["Uri"]["Fn::Join"][1] if "Alias" in service.resolve(part))
        function = resources[resources[alias]["Properties"]["FunctionName"]["Ref"]]

        assert integration["Type"] == "AWS_PROXY"
        assert function["Properties"]["Handler"] == f"functions.{endpoint.function}.handler.lambda_handler"


def test_the_stage_throttles_and_logs_every_request(service: Stack, environment: str) -> None:
    stage = service.only("AWS::ApiGateway::Stage")["Properties"]

    assert stage["StageName"] == "v1"
    expected = (50, 100) if environment == "dev" else (500, 1000)
    assert throttling(service)["*", "/*"] == expected
    assert stage["AccessLogSetting"]["DestinationArn"].endswith(
        f"log-group:<AWS::Logs::LogGroup /aws/apigateway/mfa-{environment}>"
    )
    assert not stage.get("TracingEnabled", False)


@pytest.mark.parametrize("endpoint", contract.ENDPOINTS, ids=lambda endpoint: endpoint.function)
def test_routes_that_a_user_needs_once_in_a_while_let_less_through(
    service: Stack, endpoint: contract.Endpoint, environment: str
) -> None:
    found = throttling(service).get((endpoint.method, endpoint.path))

    if endpoint in (contract.VERIFY, contract.STATUS):
        assert found is None  # as the stage
    else:
        assert found == {"dev": (10, 20), "prod": (100, 200), "local": (500, 1000)}[environment]


def test_the_access_log_is_json_without_anything_that_the_caller_or_a_function_said(dev: Synthesized) -> None:
    stage = dev.stacks[StackId.SERVICE].only("AWS::ApiGateway::Stage")["Properties"]
    line = json.loads(stage["AccessLogSetting"]["Format"])

    assert {"request_id", "status", "error", "latency_ms", "source_ip"} <= set(line)
    for variable in line.values():
        assert variable.startswith("$context.")
        # Neither of the caller's own claims, nor what the authorizer passes on.
        assert not variable.startswith(("$context.authorizer.claims", "$context.authorizer.user", "$context.request."))


def test_execution_logs_are_off_as_they_would_hold_tokens(service: Stack) -> None:
    for settings in service.only("AWS::ApiGateway::Stage")["Properties"]["MethodSettings"]:
        assert settings.get("LoggingLevel", "OFF") == "OFF"
        assert settings["DataTraceEnabled"] is False


def test_every_method_has_metrics(service: Stack) -> None:
    for settings in service.only("AWS::ApiGateway::Stage")["Properties"]["MethodSettings"]:
        assert settings["MetricsEnabled"] is True


def test_browsers_learn_the_allowed_origin_from_the_preflight(dev: Synthesized) -> None:
    preflight = methods(dev.stacks[StackId.SERVICE])["OPTIONS", "/auth/mfa/setup"]
    (response,) = preflight["Integration"]["IntegrationResponses"]
    headers = response["ResponseParameters"]

    assert headers["method.response.header.Access-Control-Allow-Origin"] == "'http://localhost:3000'"
    assert headers["method.response.header.Access-Control-Allow-Headers"] == (
        "'Authorization,Content-Type,traceparent,tracestate,baggage,sentry-trace'"
    )
    assert headers["method.response.header.Access-Control-Allow-Methods"] == "'POST,OPTIONS'"


def test_further_headers_are_allowed_by_a_setting() -> None:
    service = synthesize("dev", cors_allowed_headers="X-Trace-Id").stacks[StackId.SERVICE]
    (response,) = methods(service)["OPTIONS", "/auth/mfa"]["Integration"]["IntegrationResponses"]
    allowed = response["ResponseParameters"]["method.response.header.Access-Control-Allow-Headers"]

    assert allowed.strip("'").split(",")[-2:] == ["sentry-trace", "X-Trace-Id"]


def test_without_allowed_origins_no_browser_is_told_anything() -> None:
    service = synthesize("dev", cors_allowed_origins="").stacks[StackId.SERVICE]

    assert {verb for verb, _ in methods(service)} == {endpoint.method for endpoint in contract.ENDPOINTS}
    assert "Access-Control" not in json.dumps(service.template)


def test_the_gateways_logging_role_can_be_left_to_the_account() -> None:
    service = synthesize("dev", api_logging_role="false").stacks[StackId.SERVICE]

    assert not service.resources("AWS::ApiGateway::Account")


def test_deleting_the_stack_leaves_the_accounts_logging_role(dev: Synthesized) -> None:
    service = dev.stacks[StackId.SERVICE]

    assert service.only("AWS::ApiGateway::Account")["DeletionPolicy"] == "Retain"


def test_the_output_is_the_stages_url_without_a_slash(service: Stack) -> None:
    url = service.outputs["ApiUrl"]

    assert url == "https://<AWS::ApiGateway::RestApi>.execute-api.us-east-1.<AWS::URLSuffix>/<AWS::ApiGateway::Stage>"
