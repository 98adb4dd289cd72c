"""The responses that API Gateway creates when a request reaches no function, with the error body of the contract.

A gateway response is a template without logic. It has the time only as ``$context.requestTime``
(``20/Jan/2024:10:00:00 +0000``). If the authorizer refused the request, its context has a timestamp in the contract's
format.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import aws_apigateway as apigateway

from functions.shared.contract import (
    EXPOSED_HEADERS,
    RESPONSE_HEADERS,
    RETRY_AFTER_SECONDS,
    UNAUTHORIZED_MESSAGE,
    WWW_AUTHENTICATE,
    AuthorizerContext,
    ErrorCode,
)
from infra.config import Config


@dataclass(frozen=True)
class GatewayErrorResponse:
    """A response type of API Gateway, and the response.

    Attributes
    ----------
    reason
        API Gateway's response type.
    status
        HTTP status; None keeps the gateway's own.
    error, message
        The members of the body that depend on the type.
    headers
        Headers besides those of every response.
    timestamp
        The variable with the body's timestamp.
    """

    reason: str
    status: int | None
    error: ErrorCode
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timestamp: str = "$context.requestTime"

    def body(self) -> str:
        """Return the template of the body."""
        return json.dumps(
            {
                "error": self.error,
                "message": self.message,
                "request_id": "$context.requestId",
                "timestamp": self.timestamp,
            }
        )


#: The response type of an authorizer's Deny.
ACCESS_DENIED: Final = "ACCESS_DENIED"
#: The authorizer's own challenge, which may ask for a more recent login. Without that setting the header is a literal:
#: AWS documents context variables as sources of parameter mappings, but has no example with a gateway response.
#: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
_CHALLENGE: Final = {"WWW-Authenticate": f"context.authorizer.{AuthorizerContext.CHALLENGE}"}

_BEARER: Final = {"WWW-Authenticate": WWW_AUTHENTICATE}
_RETRY: Final = {"Retry-After": str(RETRY_AFTER_SECONDS)}

_NO_ROUTE = (ErrorCode.NOT_FOUND, "There is no such path or method")
_UNAVAILABLE = (ErrorCode.SERVICE_UNAVAILABLE, "The service is temporarily unavailable, please try again")
_BUSY = (ErrorCode.TOO_MANY_ATTEMPTS, "Too many requests, please try again later")
_INVALID = (ErrorCode.VALIDATION_ERROR, "The request is not valid")
_REFUSED = (ErrorCode.VALIDATION_ERROR, "The request was refused")
_FORBIDDEN = (ErrorCode.FORBIDDEN, "The request was refused")
_INTERNAL = (ErrorCode.INTERNAL_ERROR, "An unexpected error occurred")

#: Also the response of every route of a region on standby.
UNAVAILABLE: Final = GatewayErrorResponse("INTEGRATION_FAILURE", 503, *_UNAVAILABLE, _RETRY)

#: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
GATEWAY_RESPONSES: Final = (
    # The authorizer's Deny: no valid token.
    GatewayErrorResponse(
        *(ACCESS_DENIED, 401, ErrorCode.UNAUTHORIZED, UNAUTHORIZED_MESSAGE, _BEARER),
        timestamp=f"$context.authorizer.{AuthorizerContext.TIMESTAMP}",
    ),
    GatewayErrorResponse("UNAUTHORIZED", 401, ErrorCode.UNAUTHORIZED, UNAUTHORIZED_MESSAGE, _BEARER),
    # The authorizer raises on purpose when it cannot get signing keys: a 401 would make clients log users out although
    # only the identity provider is down.
    GatewayErrorResponse("AUTHORIZER_FAILURE", 503, *_UNAVAILABLE, _RETRY),
    GatewayErrorResponse("AUTHORIZER_CONFIGURATION_ERROR", 503, *_UNAVAILABLE, _RETRY),
    UNAVAILABLE,
    GatewayErrorResponse("INTEGRATION_TIMEOUT", 503, *_UNAVAILABLE, _RETRY),
    GatewayErrorResponse("THROTTLED", 429, *_BUSY, _RETRY),
    GatewayErrorResponse("QUOTA_EXCEEDED", 429, *_BUSY, _RETRY),
    # API Gateway treats a path or method that does not exist as one with IAM authorization: a request without an
    # Authorization header lacks a token, one with a Bearer token has a wrong signature. No route uses IAM, so all
    # three types mean that the route does not exist.
    GatewayErrorResponse("MISSING_AUTHENTICATION_TOKEN", 404, *_NO_ROUTE),
    GatewayErrorResponse("INVALID_SIGNATURE", 404, *_NO_ROUTE),
    GatewayErrorResponse("EXPIRED_TOKEN", 404, *_NO_ROUTE),
    GatewayErrorResponse("RESOURCE_NOT_FOUND", 404, *_NO_ROUTE),
    GatewayErrorResponse("BAD_REQUEST_BODY", 400, *_INVALID),
    GatewayErrorResponse("BAD_REQUEST_PARAMETERS", 400, *_INVALID),
    GatewayErrorResponse("REQUEST_TOO_LARGE", 413, ErrorCode.PAYLOAD_TOO_LARGE, "The request is too large"),
    GatewayErrorResponse(
        *("UNSUPPORTED_MEDIA_TYPE", 415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The content type is not supported")
    ),
    GatewayErrorResponse("INVALID_API_KEY", 403, *_FORBIDDEN),
    GatewayErrorResponse("WAF_FILTERED", 403, *_FORBIDDEN),
    GatewayErrorResponse("API_CONFIGURATION_ERROR", 500, *_INTERNAL),
    GatewayErrorResponse("DEFAULT_4XX", None, *_REFUSED),
    GatewayErrorResponse("DEFAULT_5XX", 500, *_INTERNAL),
)


def add_gateway_responses(api: apigateway.RestApi, config: Config) -> None:
    """Add every row of :data:`GATEWAY_RESPONSES` to an API, with the headers of the functions' responses."""
    common = common_headers(config)
    for response in GATEWAY_RESPONSES:
        # Single quotes make a header's value a literal.
        headers = {name: f"'{value}'" for name, value in (common | dict(response.headers)).items()}
        if response.reason == ACCESS_DENIED and config.max_auth_age_seconds is not None:
            headers |= _CHALLENGE
        api.add_gateway_response(
            "".join(part.capitalize() for part in response.reason.split("_")),
            type=apigateway.ResponseType.of(response.reason),
            status_code=None if response.status is None else str(response.status),
            response_headers=headers,
            templates={"application/json": response.body()},
        )


def common_headers(config: Config) -> dict[str, str]:
    """Return the headers of every response that API Gateway makes itself."""
    return RESPONSE_HEADERS | _cors_headers(config.cors_allowed_origins)


def _cors_headers(origins: tuple[str, ...]) -> dict[str, str]:
    if not origins:
        return {}
    # The template cannot choose among several origins, so it allows all of them. That is harmless: such a response
    # contains no user's data, and browsers add no credentials to these requests.
    allowed = origins[0] if len(origins) == 1 else "*"
    return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": EXPOSED_HEADERS}
