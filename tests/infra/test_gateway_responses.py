"""The responses that API Gateway creates itself: the contract's error body for every response type."""

import json

import pytest

from tests.infra.synthesis import Resource, Synthesized, synthesize

# Every response type of API Gateway, with the status and code of the contract; None keeps the gateway's status.
EXPECTED: dict[str, tuple[str | None, str]] = {
    "ACCESS_DENIED": ("401", "UNAUTHORIZED"),
    "UNAUTHORIZED": ("401", "UNAUTHORIZED"),
    "AUTHORIZER_FAILURE": ("503", "SERVICE_UNAVAILABLE"),
    "AUTHORIZER_CONFIGURATION_ERROR": ("503", "SERVICE_UNAVAILABLE"),
    "INTEGRATION_FAILURE": ("503", "SERVICE_UNAVAILABLE"),
    "INTEGRATION_TIMEOUT": ("503", "SERVICE_UNAVAILABLE"),
    "THROTTLED": ("429", "TOO_MANY_ATTEMPTS"),
    "QUOTA_EXCEEDED": ("429", "TOO_MANY_ATTEMPTS"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "NOT_FOUND"),
    "INVALID_SIGNATURE": ("404", "NOT_FOUND"),
    "EXPIRED_TOKEN": ("404", "NOT_FOUND"),
    "RESOURCE_NOT_FOUND": ("404", "NOT_FOUND"),
    "BAD_REQUEST_BODY": ("400", "VALIDATION_ERROR"),
    "BAD_REQUEST_PARAMETERS": ("400", "VALIDATION_ERROR"),
    "REQUEST_TOO_LARGE": ("413", "PAYLOAD_TOO_LARGE"),
    "UNSUPPORTED_MEDIA_TYPE": ("415", "UNSUPPORTED_MEDIA_TYPE"),
    "INVALID_API_KEY": ("403", "FORBIDDEN"),
    "WAF_FILTERED": ("403", "FORBIDDEN"),
    "API_CONFIGURATION_ERROR": ("500", "INTERNAL_ERROR"),
    "DEFAULT_4XX": (None, "VALIDATION_ERROR"),
    "DEFAULT_5XX": ("500", "INTERNAL_ERROR"),
}


def responses(environment: Synthesized) -> dict[str, Resource]:
    found = environment.service.properties_of("AWS::ApiGateway::GatewayResponse")
    return {each["ResponseType"]: each for each in found}


def headers(response: Resource) -> dict[str, str]:
    """Return the headers as a client sees them."""
    sent = {}
    for name, value in response["ResponseParameters"].items():
        assert value.startswith("'"), "a literal is in single quotes"
        assert value.endswith("'")
        sent[name.removeprefix("gatewayresponse.header.")] = value[1:-1]
    return sent


@pytest.fixture(scope="module")
def dev_responses() -> dict[str, Resource]:
    return responses(synthesize("dev"))


def test_every_response_type_is_configured(dev_responses: dict[str, Resource]) -> None:
    assert set(dev_responses) == set(EXPECTED)


@pytest.mark.parametrize("reason", EXPECTED)
def test_status_and_body_are_the_contracts(dev_responses: dict[str, Resource], reason: str) -> None:
    response = dev_responses[reason]
    status, code = EXPECTED[reason]
    ((content_type, template),) = response["ResponseTemplates"].items()
    body = json.loads(template)

    assert response.get("StatusCode") == status
    assert content_type == "application/json"
    assert list(body) == ["error", "message", "request_id", "timestamp"]
    assert body["error"] == code
    assert body["request_id"] == "$context.requestId"


def test_only_access_denied_uses_the_authorizers_timestamp(dev_responses: dict[str, Resource]) -> None:
    """For all other types the authorizer may not have run, and its variable would be empty."""
    for reason, response in dev_responses.items():
        timestamp = json.loads(response["ResponseTemplates"]["application/json"])["timestamp"]
        assert timestamp == (
            "$context.authorizer.timestamp" if reason == "ACCESS_DENIED" else "$context.requestTime"
        ), reason


@pytest.mark.parametrize("reason", EXPECTED)
def test_every_response_has_the_common_headers(dev_responses: dict[str, Resource], reason: str) -> None:
    sent = headers(dev_responses[reason])

    assert sent["Cache-Control"] == "no-store"
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert sent["Content-Type"] == "application/json"
    assert sent["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_a_401_says_how_to_authenticate(dev_responses: dict[str, Resource]) -> None:
    asking = {reason for reason, response in dev_responses.items() if "WWW-Authenticate" in headers(response)}

    assert asking == {reason for reason, (status, _) in EXPECTED.items() if status == "401"}
    assert headers(dev_responses["ACCESS_DENIED"])["WWW-Authenticate"] == "Bearer"


def test_with_a_limit_on_the_age_of_logins_a_401_has_the_authorizers_challenge() -> None:
    strict = responses(synthesize("dev", max_auth_age_seconds="300"))
    challenges = {
        reason: each["ResponseParameters"].get("gatewayresponse.header.WWW-Authenticate")
        for reason, each in strict.items()
    }

    assert challenges["ACCESS_DENIED"] == "context.authorizer.challenge"
    assert challenges["UNAUTHORIZED"] == "'Bearer'"


def test_temporary_errors_say_when_to_retry(dev_responses: dict[str, Resource]) -> None:
    retrying = {reason for reason, response in dev_responses.items() if "Retry-After" in headers(response)}

    assert retrying == {reason for reason, (status, _) in EXPECTED.items() if status in {"429", "503"}}
    for reason in retrying:
        assert int(headers(dev_responses[reason])["Retry-After"]) > 0


def test_with_several_origins_error_responses_allow_any_origin() -> None:
    several = responses(synthesize("dev", cors_allowed_origins="https://a.example,https://b.example"))

    assert {headers(each)["Access-Control-Allow-Origin"] for each in several.values()} == {"*"}
