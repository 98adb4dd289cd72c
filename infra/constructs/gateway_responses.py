"""What API Gateway answers when a request reaches no function: the error body of the contract, for every reason.

A gateway response is a template without logic. It knows the time in one format alone, ``$context.requestTime``
(``20/Jan/2024:10:00:00 +0000``); only where the authorizer ran and refused is there a timestamp of the contract's
own format, which the authorizer leaves in its context.
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
class GatewayAnswer:
    """One row: a reason for which the gateway answers by itself, and the answer.

    Attributes
    ----------
    reason
        API Gateway's response type.
    status
        HTTP status; None keeps the gateway's own.
    error, message
        The members of the body that differ from row to row.
    headers
        Headers beyond those of every answer.
    timestamp
        The variable that the body's timestamp comes from.
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


_BEARER: Final = {"WWW-Authenticate": WWW_AUTHENTICATE}
_RETRY: Final = {"Retry-After": str(RETRY_AFTER_SECONDS)}

_NO_ROUTE = (ErrorCode.NOT_FOUND, "There is no such path or method")
_UNAVAILABLE = (ErrorCode.SERVICE_UNAVAILABLE, "The service is temporarily unavailable, please try again")
_BUSY = (ErrorCode.TOO_MANY_ATTEMPTS, "Too many requests, please try again later")
_INVALID = (ErrorCode.VALIDATION_ERROR, "The request is not valid")
_REFUSED = (ErrorCode.VALIDATION_ERROR, "The request was refused")
_FORBIDDEN = (ErrorCode.FORBIDDEN, "The request was refused")
_INTERNAL = (ErrorCode.INTERNAL_ERROR, "An unexpected error occurred")

#: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
GATEWAY_ANSWERS: Final = (
    # The authorizer's Deny: no token, or none that is valid.
    GatewayAnswer(
        *("ACCESS_DENIED", 401, ErrorCode.UNAUTHORIZED, UNAUTHORIZED_MESSAGE, _BEARER),
        timestamp=f"$context.authorizer.{AuthorizerContext.TIMESTAMP}",
    ),
    GatewayAnswer("UNAUTHORIZED", 401, ErrorCode.UNAUTHORIZED, UNAUTHORIZED_MESSAGE, _BEARER),
    # The authorizer raises on purpose when it can get no signing keys: an identity provider that is down must not
    # look like a bad token, on which clients log their users out.
    GatewayAnswer("AUTHORIZER_FAILURE", 503, *_UNAVAILABLE, _RETRY),
    GatewayAnswer("AUTHORIZER_CONFIGURATION_ERROR", 503, *_UNAVAILABLE, _RETRY),
    GatewayAnswer("INTEGRATION_FAILURE", 503, *_UNAVAILABLE, _RETRY),
    GatewayAnswer("INTEGRATION_TIMEOUT", 503, *_UNAVAILABLE, _RETRY),
    GatewayAnswer("THROTTLED", 429, *_BUSY, _RETRY),
    GatewayAnswer("QUOTA_EXCEEDED", 429, *_BUSY, _RETRY),
    # A path or method that does not exist is taken for one with IAM authorization: without an Authorization header
    # its token is missing, with a Bearer one its signature is wrong. No route here uses IAM: all three mean the same.
    GatewayAnswer("MISSING_AUTHENTICATION_TOKEN", 404, *_NO_ROUTE),
    GatewayAnswer("INVALID_SIGNATURE", 404, *_NO_ROUTE),
    GatewayAnswer("EXPIRED_TOKEN", 404, *_NO_ROUTE),
    GatewayAnswer("RESOURCE_NOT_FOUND", 404, *_NO_ROUTE),
    GatewayAnswer("BAD_REQUEST_BODY", 400, *_INVALID),
    GatewayAnswer("BAD_REQUEST_PARAMETERS", 400, *_INVALID),
    GatewayAnswer("REQUEST_TOO_LARGE", 413, ErrorCode.PAYLOAD_TOO_LARGE, "The request is too large"),
    GatewayAnswer(
        *("UNSUPPORTED_MEDIA_TYPE", 415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The content type is not supported")
    ),
    GatewayAnswer("INVALID_API_KEY", 403, *_FORBIDDEN),
    GatewayAnswer("WAF_FILTERED", 403, *_FORBIDDEN),
    GatewayAnswer("API_CONFIGURATION_ERROR", 500, *_INTERNAL),
    GatewayAnswer("DEFAULT_4XX", None, *_REFUSED),
    GatewayAnswer("DEFAULT_5XX", 500, *_INTERNAL),
)


def add_gateway_responses(api: apigateway.RestApi, config: Config) -> None:
    """Add every row of :data:`GATEWAY_ANSWERS` to an API, with the headers that its functions' answers have."""
    common = RESPONSE_HEADERS | _cors_headers(config.cors_allowed_origins)
    for answer in GATEWAY_ANSWERS:
        api.add_gateway_response(
            "".join(part.capitalize() for part in answer.reason.split("_")),
            type=apigateway.ResponseType.of(answer.reason),
            status_code=None if answer.status is None else str(answer.status),
            # Single quotes make a header's value a literal.
            response_headers={name: f"'{value}'" for name, value in (common | dict(answer.headers)).items()},
            templates={"application/json": answer.body()},
        )


def _cors_headers(origins: tuple[str, ...]) -> dict[str, str]:
    if not origins:
        return {}
    # The template cannot choose among several origins, and sending back whatever the request names would be `*` in
    # disguise. `*` it is, then, and harmless: such an answer holds nothing of any user, and is never sent with
    # credentials that a browser adds by itself.
    allowed = origins[0] if len(origins) == 1 else "*"
    return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": EXPOSED_HEADERS}
