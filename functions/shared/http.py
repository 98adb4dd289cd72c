"""From an API Gateway proxy event to a response: the one way in and out of every route.

`endpoint` turns a plain function of a `Request` into a Lambda handler. It authenticates, calls the function, maps
what it raises to the error body of the contract, counts the route's metrics and writes one log line. No exception
leaves it.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, Protocol

from functions.shared.clock import iso_timestamp
from functions.shared.contract import EXPOSED_HEADERS, RESPONSE_HEADERS, Endpoint, Metric
from functions.shared.errors import (
    ApiError,
    InsufficientScopeError,
    InternalError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from functions.shared.identity import Identity, identity_from_event
from functions.shared.observability import Telemetry
from functions.shared.settings import EndpointSettings

type Event = Mapping[str, Any]
type Response = dict[str, Any]
type LambdaHandler = Callable[[Event, object], Response]


class Body(Protocol):
    """A response body: a Pydantic model, or an `Answer` where nothing is to be validated."""

    def model_dump_json(self, *, by_alias: bool) -> str:
        """Return the body as JSON."""
        ...


@dataclass
class Request:
    """An authenticated request.

    Attributes
    ----------
    event : mapping
        The API Gateway proxy event (REST API, Lambda proxy integration).
    identity : Identity
        Who is calling.
    request_id : str
        API Gateway's request id.
    metrics : list of str
        Further metrics to count once the request is answered, see `count`.
    """

    event: Event
    identity: Identity
    request_id: str
    metrics: list[str] = field(default_factory=list)

    def count(self, metric: Metric) -> None:
        """Count a metric beyond the route's own."""
        self.metrics.append(metric)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: str
    outcome: str
    headers: Mapping[str, str] = field(default_factory=dict)
    log_fields: Mapping[str, str] = field(default_factory=dict)


class ResponseWriter:
    """Writes proxy integration responses with the headers of the contract.

    Parameters
    ----------
    allowed_origins : tuple of str
        Origins that may read answers in a browser; ``*`` allows all.
    """

    def __init__(self, allowed_origins: tuple[str, ...]) -> None:
        self._allowed_origins = allowed_origins

    def write(self, event: Event, answer: _Answer) -> Response:
        """Return the response that API Gateway expects of a Lambda proxy integration."""
        headers = {**RESPONSE_HEADERS, **self._cors(event), **answer.headers}
        return {"statusCode": answer.status, "headers": headers, "body": answer.body, "isBase64Encoded": False}

    def _cors(self, event: Event) -> dict[str, str]:
        if not self._allowed_origins:
            return {}
        exposed = {"Access-Control-Expose-Headers": EXPOSED_HEADERS}
        if "*" in self._allowed_origins:
            return {**exposed, "Access-Control-Allow-Origin": "*"}
        origin = next(
            (value for name, value in _mapping(event.get("headers")).items() if name.lower() == "origin"),
            None,
        )
        if origin not in self._allowed_origins:
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


class _Exchange:
    """One request on its way to an answer: what it turned out to be, and what to count for it."""

    def __init__(self, event: Event, context: object) -> None:
        self.event = event
        self._context = context
        self.user_id: str | None = None
        self.metrics: list[str] = []

    @cached_property
    def request_id(self) -> str:
        gateway_id = _mapping(self.event.get("requestContext")).get("requestId")
        # Never empty: a stored item knows by it which request wrote it.
        return str(gateway_id or getattr(self._context, "aws_request_id", None) or uuid.uuid4())

    def answer(self, route: Endpoint, scope: str | None, operation: Callable[[Request], Body]) -> _Answer:
        counts = route.metrics
        try:
            identity = identity_from_event(self.event)
            self.user_id = identity.user_id
            identity.require_scope(scope)
        except UnauthorizedError as error:
            self.metrics.append(counts.unauthorized)
            return self._refusal(error)
        except InsufficientScopeError as error:
            return self._refusal(error)

        self.metrics.append(counts.attempts)
        request = Request(self.event, identity, self.request_id)
        outcome = counts.system_errors
        try:
            body = operation(request).model_dump_json(by_alias=True)
            outcome = counts.successes
            return _Answer(200, body, "OK")
        except ServiceUnavailableError as error:
            outcome = counts.errors
            return self._refusal(error)
        except ApiError as error:
            outcome = counts.rejections
            return self._refusal(error)
        finally:
            self.metrics += [outcome, *request.metrics]

    def _refusal(self, error: ApiError) -> _Answer:
        self.metrics += error.metrics
        body = error_body(error, request_id=self.request_id, now=time.time())
        return _Answer(error.status, body, error.code, error.headers(), error.log_fields())

    def internal_error(self) -> _Answer:
        return self._refusal(InternalError())


def endpoint(route: Endpoint, settings: EndpointSettings) -> Callable[[Callable[[Request], Body]], LambdaHandler]:
    """Make a Lambda handler of a function that answers one route.

    Parameters
    ----------
    route : Endpoint
        The route, whose metrics are counted.
    settings : EndpointSettings
        Environment, log level, CORS origins and required scope.

    Returns
    -------
    callable
        A decorator. The decorated function takes a `Request`, returns the body of the 200 answer, and raises an
        `ApiError` for any other; whatever else it raises becomes a 500 without detail.
    """
    telemetry = Telemetry(environment=settings.environment, log_level=settings.log_level)
    writer = ResponseWriter(settings.cors_allowed_origins)

    def decorate(operation: Callable[[Request], Body]) -> LambdaHandler:
        @wraps(operation)
        def lambda_handler(event: Event, context: object) -> Response:
            started = time.perf_counter()
            event = _mapping(event)
            exchange = _Exchange(event, context)
            fields: dict[str, Any] = {"request_id": exchange.request_id, "route": f"{route.method} {route.path}"}
            try:
                answer = exchange.answer(route, settings.required_scope, operation)
            except Exception as error:  # noqa: BLE001 - the contract: no raw exception leaves a handler
                telemetry.unexpected("unexpected error", error, **fields, user_id=exchange.user_id)
                answer = exchange.internal_error()
            telemetry.count(exchange.metrics)
            telemetry.info(
                "request answered",
                **fields,
                user_id=exchange.user_id,
                status=answer.status,
                outcome=answer.outcome,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
                **answer.log_fields,
            )
            return writer.write(event, answer)

        return lambda_handler

    return decorate
