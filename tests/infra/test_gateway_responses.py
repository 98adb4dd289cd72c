"""The responses that API Gateway creates itself: the contract's error body for every response type."""

import json

from tests.infra.synthesis import Resource, Stack, Synthesized

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


def responses(service: Stack) -> dict[str, Resource]:
    found = service.properties_of("AWS::ApiGateway::GatewayResponse")
    return {each["ResponseType"]: each for each in found}


def headers(response: Resource) -> dict[str, str]:
    """Return the headers as a client sees them; all are literals, which are in single quotes."""
    sent = {}
    for name, value in response["ResponseParameters"].items():
        assert value[0] == value[-1] == "'"
        sent[name.removeprefix("gatewayresponse.header.")] = value[1:-1]
    return sent


def test_every_response_type_has_the_status_and_the_body_of_the_contract(dev: Synthesized) -> None:
    found = {}
    for reason, response in responses(dev.service).items():
        ((content_type, template),) = response["ResponseTemplates"].items()
        body = json.loads(template)
        found[reason] = (response.get("StatusCode"), body["error"])

        assert content_type == "application/json"
        assert list(body) == ["error", "message", "request_id", "timestamp"]
        assert body["request_id"] == "$context.requestId"
        # For all other types the authorizer may not have run, and its variable would be empty.
        timestamp = "$context.authorizer.timestamp" if reason == "ACCESS_DENIED" else "$context.requestTime"
        assert body["timestamp"] == timestamp, reason

    assert found == EXPECTED


def test_every_response_has_the_headers_of_its_status(dev: Synthesized) -> None:
    for reason, response in responses(dev.service).items():
        sent, status = headers(response), EXPECTED[reason][0]

        assert sent.pop("Access-Control-Expose-Headers")
        assert sent == {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Type": "application/json",
            "Access-Control-Allow-Origin": "http://localhost:3000",
            **({"WWW-Authenticate": "Bearer"} if status == "401" else {}),
            **({"Retry-After": "2"} if status in ("429", "503") else {}),
        }, reason


def test_with_a_limit_on_the_age_of_logins_a_401_has_the_authorizers_challenge(customized: Stack) -> None:
    challenges = {
        reason: each["ResponseParameters"].get("gatewayresponse.header.WWW-Authenticate")
        for reason, each in responses(customized).items()
    }

    assert challenges["ACCESS_DENIED"] == "context.authorizer.challenge"
    assert challenges["UNAUTHORIZED"] == "'Bearer'"


def test_with_several_origins_error_responses_allow_any_origin(customized: Stack) -> None:
    allowed = "gatewayresponse.header.Access-Control-Allow-Origin"

    assert {each["ResponseParameters"][allowed] for each in responses(customized).values()} == {"'*'"}
