"""The declaration of a route: what it takes, what it returns, how it can fail, and the words that describe it.

Each function has one, ``ROUTE`` in its ``route`` module. Its handler, the description of the API and the tests use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from functions.shared.contract import PUBLIC_MAX_AGE_SECONDS, RESPONSE_HEADERS, Endpoint
from functions.shared.errors import ApiError
from functions.shared.response_body import ResponseBody

type Event = Mapping[str, Any]
"""An API Gateway proxy event (REST API, Lambda proxy integration)."""


def request_header(event: Event, name: str) -> str | None:
    """Return a header of an event's request, or None; ``name`` is in lower case."""
    headers = event.get("headers")
    if not isinstance(headers, Mapping):  # not only API Gateway can invoke a function
        return None
    return next((str(value) for key, value in headers.items() if str(key).lower() == name), None)


class ParsedBody(Protocol):
    """What a route takes in the body of its request."""

    @classmethod
    def from_event(cls, event: Event) -> Self:
        """Return the parsed body of an event's request, or raise `ValidationError`."""
        ...


class NoBody:
    """The body of a route that takes none; one that is sent is ignored."""

    @classmethod
    def from_event(cls, _event: Event) -> Self:
        """Return an instance; a body that was sent is ignored."""
        return cls()


@dataclass(frozen=True, kw_only=True)
class Route[Body: ParsedBody, Returned: ResponseBody]:
    """A declared route.

    Attributes
    ----------
    endpoint : Endpoint
        Its method, path, function and metrics.
    summary : str
        What it does, in a few words.
    description : str
        What a caller needs to know, in Markdown.
    body : type
        The body of its request; `NoBody` for a route that takes none.
    response : type
        The body of its 200 response.
    errors : tuple of ApiError types
        Every other response of its function.
    public : bool
        Whether it takes requests without an access token, from pages of any origin, and may be cached.
    """

    endpoint: Endpoint
    summary: str
    description: str
    body: type[Body]
    response: type[Returned]
    errors: tuple[type[ApiError], ...]
    public: bool = False

    def response_headers(self) -> Mapping[str, str]:
        """Return the headers of its 200 response, besides those of CORS."""
        if not self.public:
            return RESPONSE_HEADERS
        return {**RESPONSE_HEADERS, "Cache-Control": f"public, max-age={PUBLIC_MAX_AGE_SECONDS}"}
