"""Every response other than 200 to a request to a route: the route's own errors, and those of the gateway."""

import json
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.clock import epoch_from_iso
from functions.shared.contract import AuthorizerContext, ErrorCode
from functions.shared.errors import ApiError, UnauthorizedError
from functions.shared.http import error_body
from functions.shared.route import Route
from infra.constructs.gateway_responses import GATEWAY_RESPONSES, GatewayErrorResponse
from tools.openapi.examples import REQUEST_ID, REQUEST_TIME, TIMESTAMP, error_examples, lower_camel_case

#: When the gateway itself responds to a request to one of the routes, by API Gateway's response type.
GATEWAY_REASONS: Final = {
    "ACCESS_DENIED": "The access token is missing or invalid.",
    "AUTHORIZER_FAILURE": "The issuer's signing keys are not available, so the token cannot be checked.",
    "AUTHORIZER_CONFIGURATION_ERROR": "The gateway could not call the authorizer.",
    "INTEGRATION_FAILURE": "The function did not respond.",
    "INTEGRATION_TIMEOUT": "The function did not respond in time.",
    "THROTTLED": "The API receives more requests than it accepts.",
    "REQUEST_TOO_LARGE": "The request is larger than the gateway accepts.",
    "WAF_FILTERED": "The web application firewall, if one is configured, refused the request.",
    "DEFAULT_5XX": "The gateway failed.",
    "API_CONFIGURATION_ERROR": "The gateway failed.",
}

#: Why no request to one of the routes gets the gateway's other responses.
OTHER_GATEWAY_REASONS: Final = {
    "MISSING_AUTHENTICATION_TOKEN": "the path and method exist",
    "INVALID_SIGNATURE": "the path and method exist",
    "EXPIRED_TOKEN": "the path and method exist",
    "RESOURCE_NOT_FOUND": "the path and method exist",
    "UNAUTHORIZED": "the authorizer has no identity sources, and returns a Deny where it could raise this",
    "INVALID_API_KEY": "no route requires an API key",
    "QUOTA_EXCEEDED": "there is no usage plan",
    "BAD_REQUEST_BODY": "there is no request validator: the functions validate",
    "BAD_REQUEST_PARAMETERS": "there is no request validator: the functions validate",
    "UNSUPPORTED_MEDIA_TYPE": "the functions receive every media type",
    "DEFAULT_4XX": "every reason that API Gateway documents has its own response",
}


@dataclass(frozen=True)
class ErrorResponse:
    """One response other than 200.

    Attributes
    ----------
    name
        Name of its example.
    status
        HTTP status.
    when
        When it occurs, for people.
    body
        An example of the body.
    headers
        Its headers besides those of every response, with example values.
    by_gateway
        Whether the gateway makes it, for a request that reaches no function.
    """

    name: str
    status: int
    when: str
    body: dict[str, str]
    headers: dict[str, str]
    by_gateway: bool

    @property
    def code(self) -> ErrorCode:
        """The body's ``error``."""
        return ErrorCode(self.body["error"])


#: The gateway's responses that only a route with an authorizer has.
_AUTHORIZER: Final = ("ACCESS_DENIED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR")


def error_responses(route: Route[Any, Any]) -> dict[int, list[ErrorResponse]]:
    """Return the responses that a caller can distinguish, by status in ascending order, the route's own first."""
    found: dict[int, list[ErrorResponse]] = {}
    # No caller sees the function's own 401: the gateway refuses a request without a valid token.
    errors = [error for error in route.errors if error is not UnauthorizedError]
    own = (_of_error(name, each) for error in errors for name, each in error_examples(error).items())
    rows = {answer.reason: answer for answer in GATEWAY_RESPONSES}
    by_gateway = (
        _of_gateway(rows[reason], when)
        for reason, when in GATEWAY_REASONS.items()
        if not (route.public and reason in _AUTHORIZER)
    )
    for response in (*own, *by_gateway):
        same_status = found.setdefault(response.status, [])
        if not any((each.body, each.headers) == (response.body, response.headers) for each in same_status):
            same_status.append(response)
    return dict(sorted(found.items()))


def _of_error(name: str, error: ApiError) -> ErrorResponse:
    body = error_body(error, request_id=REQUEST_ID, now=epoch_from_iso(TIMESTAMP))
    return ErrorResponse(name, error.status, error.description, json.loads(body), error.headers(), by_gateway=False)


def _of_gateway(answer: GatewayErrorResponse, when: str) -> ErrorResponse:
    if answer.status is None:
        raise ValueError(f"{answer.reason} has no status")
    name = lower_camel_case(answer.reason)
    variables = {  # of the template, which the gateway renders
        "$context.requestId": REQUEST_ID,
        "$context.requestTime": REQUEST_TIME,
        f"$context.authorizer.{AuthorizerContext.TIMESTAMP}": TIMESTAMP,
    }
    body = {member: variables.get(value, value) for member, value in json.loads(answer.body()).items()}
    return ErrorResponse(name, answer.status, when, body, dict(answer.headers), by_gateway=True)
