"""Every answer but 200 that a request to a route may get: the route's own errors, and those of the gateway."""

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.clock import epoch_from_iso
from functions.shared.contract import AuthorizerContext, Endpoint, ErrorCode
from functions.shared.errors import ApiError
from functions.shared.http import error_body
from infra.constructs.gateway_responses import GATEWAY_ANSWERS, GatewayAnswer
from tools.openapi.examples import REQUEST_ID, REQUEST_TIME, TIMESTAMP, error_examples, gateway_example_name
from tools.openapi.handlers import plain_text

#: When the gateway answers a request to one of the routes by itself, by API Gateway's response type.
GATEWAY_REASONS: Final = {
    "ACCESS_DENIED": "There is no access token, or no valid one.",
    "AUTHORIZER_FAILURE": "The issuer's signing keys cannot be had to judge the token by.",
    "AUTHORIZER_CONFIGURATION_ERROR": "The gateway could not call the authorizer.",
    "INTEGRATION_FAILURE": "The function gave no answer.",
    "INTEGRATION_TIMEOUT": "The function gave no answer in time.",
    "THROTTLED": "The API gets more requests than it lets through.",
    "REQUEST_TOO_LARGE": "The request is larger than the gateway takes.",
    "WAF_FILTERED": "The web application firewall, where one is configured, refused the request.",
    "DEFAULT_5XX": "The gateway failed.",
    "API_CONFIGURATION_ERROR": "The gateway failed.",
}

#: Why no request to one of the routes gets the gateway's other answers.
OTHER_GATEWAY_REASONS: Final = {
    "MISSING_AUTHENTICATION_TOKEN": "the path and method exist",
    "INVALID_SIGNATURE": "the path and method exist",
    "EXPIRED_TOKEN": "the path and method exist",
    "RESOURCE_NOT_FOUND": "the path and method exist",
    "UNAUTHORIZED": "the authorizer has no identity sources, and denies where it might raise this",
    "INVALID_API_KEY": "no route asks for an API key",
    "QUOTA_EXCEEDED": "there is no usage plan",
    "BAD_REQUEST_BODY": "there is no request validator: the functions validate",
    "BAD_REQUEST_PARAMETERS": "there is no request validator: the functions validate",
    "UNSUPPORTED_MEDIA_TYPE": "the functions are given every media type",
    "DEFAULT_4XX": "every reason that API Gateway documents has an answer of its own",
}


@dataclass(frozen=True)
class Refusal:
    """One answer but 200.

    Attributes
    ----------
    name
        Of its example.
    status
        HTTP status.
    when
        What it means, for people.
    body
        An example of the body.
    headers
        Those beyond the headers of every answer, with example values.
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


def route_refusals(route: Endpoint) -> list[Refusal]:
    """Return the answers that a route's function makes itself."""
    errors: tuple[type[ApiError], ...] = importlib.import_module(f"functions.{route.function}.errors").ROUTE_ERRORS
    return [_of_error(name, each) for error in errors for name, each in error_examples(error).items()]


def gateway_refusals() -> list[Refusal]:
    """Return the answers that the gateway makes to requests to any route.

    Raises
    ------
    ValueError
        An answer of the gateway is not accounted for here.
    """
    rows = {answer.reason: answer for answer in GATEWAY_ANSWERS}
    if rows.keys() != GATEWAY_REASONS.keys() | OTHER_GATEWAY_REASONS.keys():
        unknown = sorted(rows.keys() ^ (GATEWAY_REASONS.keys() | OTHER_GATEWAY_REASONS.keys()))
        raise ValueError(f"tell when, or why never, a request to a route gets these answers: {unknown}")
    return [_of_gateway(rows[reason], when) for reason, when in GATEWAY_REASONS.items()]


def refusals_by_status(route: Endpoint) -> dict[int, list[Refusal]]:
    """Return the answers that a caller can tell apart, by status in ascending order; the route's own come first."""
    found: dict[int, list[Refusal]] = {}
    for refusal in (*route_refusals(route), *gateway_refusals()):
        same_status = found.setdefault(refusal.status, [])
        if not any((each.body, each.headers) == (refusal.body, refusal.headers) for each in same_status):
            same_status.append(refusal)
    return dict(sorted(found.items()))


def _of_error(name: str, error: ApiError) -> Refusal:
    body = error_body(error, request_id=REQUEST_ID, now=epoch_from_iso(TIMESTAMP))
    return Refusal(name, error.status, _first_paragraph(error), json.loads(body), error.headers(), by_gateway=False)


def _first_paragraph(error: ApiError) -> str:
    return plain_text((type(error).__doc__ or "").split("\n\n")[0])


def _of_gateway(answer: GatewayAnswer, when: str) -> Refusal:
    if answer.status is None:
        raise ValueError(f"{answer.reason} has no status of its own")
    name = gateway_example_name(answer.reason)
    return Refusal(name, answer.status, when, dict(_rendered(answer)), dict(answer.headers), by_gateway=True)


def _rendered(answer: GatewayAnswer) -> Iterator[tuple[str, str]]:
    """Render the template of a body as the gateway does."""
    variables = {
        "$context.requestId": REQUEST_ID,
        "$context.requestTime": REQUEST_TIME,
        f"$context.authorizer.{AuthorizerContext.TIMESTAMP}": TIMESTAMP,
    }
    template: dict[str, Any] = json.loads(answer.body())
    for name, value in template.items():
        yield name, variables.get(value, value)
