"""From an API Gateway proxy event to a response: the only way in and out of every route.

`endpoint` turns a function of a `Request` into a Lambda handler. It authenticates the caller, parses the body, calls
the function, maps what it raises to the contract's error body, counts the route's metrics and writes one log line.
No exception leaves it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from functions.shared import startup
from functions.shared.clock import Clock, iso_timestamp
from functions.shared.contract import EXPOSED_HEADERS, RESPONSE_HEADERS, Metric
from functions.shared.errors import (
    ApiError,
    InsufficientScopeError,
    InternalError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from functions.shared.formats import ALL_ORIGINS
from functions.shared.identity import Identity, identity_from_event
from functions.shared.observability import Telemetry
from functions.shared.request_id import extended_request_id, request_id
from functions.shared.response_body import ResponseBody
from functions.shared.route import Event, ParsedBody, Route, request_header
from functions.shared.settings import EndpointSettings

type Response = dict[str, Any]
"""What API Gateway expects of a Lambda proxy integration."""
type LambdaHandler = Callable[[Event, object], Response]


@dataclass(frozen=True)
class Request[Body: ParsedBody]:
    """An authenticated request.

    Attributes
    ----------
    identity : Identity
        The caller; `ANYONE` on a public route.
    request_id : str
        The request's id, a UUID; see `functions.shared.request_id`.
    body : Body
        The parsed body.
    count : callable
        Counts a metric beyond the route's own; it is emitted when the request ends, for any outcome.
    """

    identity: Identity
    request_id: str
    body: Body = field(repr=False)
    count: Callable[[Metric], None]


@dataclass(frozen=True)
class _Reply:
    status: int
    body: str = field(repr=False)
    outcome: str
    headers: Mapping[str, str] = field(default_factory=dict)
    log_fields: Mapping[str, str] = field(default_factory=dict)


def _cors_headers(event: Event, allowed_origins: tuple[str, ...]) -> dict[str, str]:
    """Return the headers that let browsers read the response from an allowed origin; ``*`` allows all."""
    if not allowed_origins:
        return {}
    exposed = {"Access-Control-Expose-Headers": EXPOSED_HEADERS}
    if ALL_ORIGINS in allowed_origins:
        return {**exposed, "Access-Control-Allow-Origin": ALL_ORIGINS}
    origin = request_header(event, "origin")
    if origin not in allowed_origins:
        return {"Vary": "Origin"}
    return {**exposed, "Access-Control-Allow-Origin": str(origin), "Vary": "Origin"}


def _mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping as it is, and an empty one for anything else: not only API Gateway can invoke a function."""
    return value if isinstance(value, Mapping) else {}


def error_body(error: ApiError, *, request_id: str, now: float) -> str:
    """Return the JSON of an error: exactly ``error``, ``message``, ``request_id`` and ``timestamp``."""
    return json.dumps(
        {
            "error": error.code,
            "message": error.message,
            "request_id": request_id,
            "timestamp": iso_timestamp(now),
        }
    )


#: The caller of a public route.
ANYONE: Final = Identity(user_id="", label="")


class _Exchange:
    """One request until its reply: who sent it, and the metrics to count for it."""

    def __init__(self, event: Event, context: object, clock: Clock) -> None:
        self.event = event
        self.request_id = request_id(event, context)
        self._clock = clock
        self.user_id: str | None = None
        self.metrics: list[str] = []

    def reply[Body: ParsedBody, Returned: ResponseBody](
        self, route: Route[Body, Returned], scope: str | None, operation: Callable[[Request[Body]], Returned]
    ) -> _Reply:
        counts = route.endpoint.metrics
        try:
            identity = ANYONE if route.public else self._caller(scope)
        except UnauthorizedError as error:
            self.metrics.append(counts.unauthorized)
            return self._refusal(error)
        except InsufficientScopeError as error:
            return self._refusal(error)

        self.metrics.append(counts.attempts)
        counted: list[Metric] = []
        outcome = counts.system_errors
        try:
            body = route.body.from_event(self.event)
            response = operation(Request(identity, self.request_id, body, counted.append)).to_json()
            outcome = counts.successes
            return _Reply(200, response, "OK", route.response_headers())
        except ServiceUnavailableError as error:
            outcome = counts.errors
            return self._refusal(error)
        except ApiError as error:
            outcome = counts.rejections
            return self._refusal(error)
        finally:
            self.metrics += [outcome, *counted]

    def _caller(self, scope: str | None) -> Identity:
        identity = identity_from_event(self.event)
        self.user_id = identity.user_id
        identity.require_scope(scope)
        return identity

    def _refusal(self, error: ApiError) -> _Reply:
        self.metrics += error.metrics
        body = error_body(error, request_id=self.request_id, now=self._clock())
        return _Reply(error.status, body, error.code, error.headers(), error.log_fields())

    def internal_error(self) -> _Reply:
        return self._refusal(InternalError())


def endpoint[Body: ParsedBody, Returned: ResponseBody](
    route: Route[Body, Returned], settings: EndpointSettings, clock: Clock = time.time
) -> Callable[[Callable[[Request[Body]], Returned]], LambdaHandler]:
    """Return a decorator that makes a route's Lambda handler.

    Parameters
    ----------
    route : Route
        The declaration of the route.
    settings : EndpointSettings
        Environment, log level, CORS origins and required scope; the last two do not apply to a public route.
    clock : callable
        The current time in epoch seconds, for the timestamps of errors.

    Returns
    -------
    callable
        The decorated function takes a `Request`, returns the body of the 200 response, and raises one of the route's
        errors for any other; any other exception becomes a 500 without detail.
    """
    telemetry = Telemetry(environment=settings.environment, log_level=settings.log_level, version=settings.version)
    name = f"{route.endpoint.method} {route.endpoint.path}"
    allowed_origins = (ALL_ORIGINS,) if route.public else settings.cors_allowed_origins

    def decorate(operation: Callable[[Request[Body]], Returned]) -> LambdaHandler:
        def lambda_handler(event: Event, context: object) -> Response:
            started = time.perf_counter()
            event = _mapping(event)
            exchange = _Exchange(event, context, clock)
            fields: dict[str, Any] = {
                "request_id": exchange.request_id,
                "extended_request_id": extended_request_id(event),
                "route": name,
            }
            try:
                reply = exchange.reply(route, settings.required_scope, operation)
            except Exception as error:  # noqa: BLE001 - the contract: no raw exception leaves a handler
                telemetry.unexpected("unexpected error", error, **fields, user_id=exchange.user_id)
                reply = exchange.internal_error()
            telemetry.info(
                "request answered",
                metrics=exchange.metrics,
                **fields,
                user_id=exchange.user_id,
                status=reply.status,
                outcome=reply.outcome,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
                **reply.log_fields,
            )
            headers = {**RESPONSE_HEADERS, **_cors_headers(event, allowed_origins), **reply.headers}
            return {"statusCode": reply.status, "headers": headers, "body": reply.body, "isBase64Encoded": False}

        startup.finish()
        return lambda_handler

    return decorate
