"""Routes that only tests have, on the endpoints of the contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.shared.clock import Clock
from functions.shared.contract import Endpoint
from functions.shared.http import LambdaHandler, Request, endpoint
from functions.shared.response_body import ResponseBody
from functions.shared.route import NoBody, ParsedBody, Route
from functions.shared.settings import EndpointSettings


@dataclass(frozen=True)
class Value(ResponseBody):
    """A body with one member, ``someValue``."""

    description = "A value."

    some_value: object


def handler_of[Body: ParsedBody](
    operation: Callable[[Request[Body]], ResponseBody],
    at: Endpoint,
    settings: EndpointSettings,
    *,
    body: type[Body] = NoBody,  # type: ignore[assignment] # the default of an operation that takes no body
    **clock: Clock,
) -> LambdaHandler:
    """Return a handler that calls an operation."""
    route: Route[Body, Any] = Route(endpoint=at, summary="", description="", body=body, response=Value, errors=())
    return endpoint(route, settings, **clock)(operation)
