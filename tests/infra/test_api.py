"""The REST API: routes, authorizer, throttling, logs and CORS."""

import json
from typing import Any

import pytest

from functions.shared import contract
from infra.project import VERSION
from tests.infra.synthesis import Stack, Synthesized, endpoints_of, synthesize

PUBLIC_PATHS = {"/.well-known/openid-configuration", "/.well-known/jwks.json"}


def methods(service: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the properties of every method by its verb and path, as the template has them."""
    resources = service.template["Resources"]

    def path(reference: dict[str, Any]) -> str:
        if "Fn::GetAtt" in reference:  # the API's root
            return ""
        properties = resources[reference["Ref"]]["Properties"]
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    found = service.unresolved("AWS::ApiGateway::Method")
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


def test_routes_are_those_of_the_contract_and_their_preflights(service: Stack, environment: str) -> None:
    routes = {(endpoint.method, endpoint.path) for endpoint in endpoints_of(environment)}
    preflights = {("OPTIONS", endpoint.path) for endpoint in contract.ENDPOINTS}

    assert set(methods(service)) == routes | preflights
    assert ("POST", "/auth/mfa/setup") in routes


def test_every_request_except_preflights_and_public_keys_needs_the_authorizer(service: Stack) -> None:
    for (verb, path), method in methods(service).items():
        if verb == "OPTIONS" or path in PUBLIC_PATHS:
            assert method["AuthorizationType"] == "NONE"
            assert method["Integration"]["Type"] == ("MOCK" if verb == "OPTIONS" else "AWS_PROXY")
        else:
            assert method["AuthorizationType"] == "CUSTOM"
            authorizer = service.template["Resources"][method["AuthorizerId"]["Ref"]]
            assert authorizer["Type"] == "AWS::ApiGateway::Authorizer"


def test_the_authorizer_runs_for_each_request_even_without_a_token(service: Stack) -> None:
    """Without identity sources the gateway does not refuse a request before it asks the authorizer."""
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


@pytest.mark.parametrize("endpoint", contract.ENDPOINTS, ids=lambda endpoint: endpoint.function)
def test_rarely_used_routes_have_lower_limits(service: Stack, endpoint: contract.Endpoint, environment: str) -> None:
    limits = throttling(service)
    found = limits.get((endpoint.method, endpoint.path))

    assert limits["*", "/*"] == ((50, 100) if environment == "dev" else (500, 1000))
    if endpoint in (contract.VERIFY, contract.STATUS):
        assert found is None  # as the stage
    else:
        assert found == {"dev": (10, 20), "prod": (100, 200), "local": (500, 1000)}[environment]


def test_the_access_log_contains_only_metadata(dev: Synthesized) -> None:
    stage = dev.service.only("AWS::ApiGateway::Stage")["Properties"]
    line = json.loads(stage["AccessLogSetting"]["Format"])

    assert {"request_id", "status", "error", "latency_ms", "source_ip"} <= set(line)
    assert line.pop("version") == VERSION
    for variable in line.values():
        assert variable.startswith("$context.")
        # Neither the caller's claims nor the values that the authorizer passes on.
        assert not variable.startswith(("$context.authorizer.claims", "$context.authorizer.user", "$context.request."))


def test_execution_logs_and_the_paid_metrics_of_each_method_are_off(service: Stack) -> None:
    for settings in service.only("AWS::ApiGateway::Stage")["Properties"]["MethodSettings"]:
        assert settings.get("LoggingLevel", "OFF") == "OFF"
        assert settings["DataTraceEnabled"] is False
        assert settings["MetricsEnabled"] is False


def test_no_body_of_a_preflight_can_make_it_fail(service: Stack) -> None:
    """A body that the mock integration takes for its own instructions is a 500, which pages and rolls releases back."""
    preflights = [method["Integration"] for (verb, _), method in methods(service).items() if verb == "OPTIONS"]

    assert {preflight.get("PassthroughBehavior") for preflight in preflights} == {"NEVER"}
    assert {tuple(preflight["RequestTemplates"]) for preflight in preflights} == {("application/json",)}


def test_further_headers_are_allowed_by_a_setting(customized: Stack) -> None:
    (response,) = methods(customized)["OPTIONS", "/auth/mfa"]["Integration"]["IntegrationResponses"]
    allowed = response["ResponseParameters"]["method.response.header.Access-Control-Allow-Headers"]

    assert allowed.strip("'").split(",")[-2:] == ["sentry-trace", "X-Trace-Id"]


def test_cors_and_the_logging_role_of_the_account_can_be_turned_off() -> None:
    service = synthesize("dev", cors_allowed_origins="", api_logging_role="false").service

    assert {verb for verb, _ in methods(service)} == {endpoint.method for endpoint in contract.ENDPOINTS}
    assert "Access-Control" not in json.dumps(service.template)
    assert not service.resources("AWS::ApiGateway::Account")
