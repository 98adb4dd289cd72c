"""Records and fails AWS calls where botocore passes a request to the network, so that everything above it is real."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any

import botocore.endpoint

type Failure = Callable[[], Any]


def refused(code: str, status: int = 400) -> Failure:
    """Return a failure: the service's response with an error code."""

    def answer() -> Any:
        parsed = {"Error": {"Code": code, "Message": "secret detail"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return SimpleNamespace(status_code=status, headers={}), parsed

    return answer


def raising(error: Exception) -> Failure:
    """Return a failure: an exception of botocore's, such as a timeout."""

    def fail() -> Any:
        raise error

    return fail


type _Send = Callable[[], Any]


@contextmanager
def _intercepted(handle: Callable[[str, _Send], Any]) -> Iterator[None]:
    """Let a function answer each call of a block; it gets the call's name and what sends it."""
    original = botocore.endpoint.Endpoint.make_request

    def make_request(endpoint: Any, operation_model: Any, request: Any) -> Any:
        name = f"{operation_model.service_model.service_name}:{operation_model.name}"
        return handle(name, lambda: original(endpoint, operation_model, copy.deepcopy(request)))

    botocore.endpoint.Endpoint.make_request = make_request
    try:
        yield
    finally:
        botocore.endpoint.Endpoint.make_request = original


class AwsCalls:
    """Records calls as ``service:Operation``, and makes chosen ones fail."""

    def before(self, operation: str, action: Callable[[], object]) -> AbstractContextManager[None]:
        """Run an action, once, just before the first call of an operation."""
        actions = [action]

        def handle(name: str, send: _Send) -> Any:
            if actions and name == operation:
                actions.pop()()
            return send()

        return _intercepted(handle)

    def repeating(self, repeated: str) -> AbstractContextManager[None]:
        """Send an operation twice and return the second result, as a retry after a lost response does."""

        def handle(name: str, send: _Send) -> Any:
            if name == repeated:
                send()
            return send()

        return _intercepted(handle)

    @contextmanager
    def recorded(
        self, failing: Mapping[str, Failure] | None = None, *, times: int | None = None
    ) -> Iterator[list[str]]:
        """Record the calls of a block; an operation named in ``failing`` fails that way, each time or so often."""
        made: list[str] = []
        failures = failing or {}

        def handle(name: str, send: _Send) -> Any:
            made.append(name)
            fails = times is None or made.count(name) <= times
            return (failures.get(name, send) if fails else send)()

        with _intercepted(handle):
            yield made
