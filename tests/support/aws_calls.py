"""Records and fails AWS calls where botocore passes a request to the network, so that everything above it is real."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


class AwsCalls:
    """Records calls as ``service:Operation``, and makes chosen ones fail."""

    @contextmanager
    def before(self, operation: str, action: Callable[[], object]) -> Iterator[None]:
        """Run an action, once, just before the first call of an operation."""
        original = botocore.endpoint.Endpoint.make_request
        actions = [action]

        def make_request(endpoint: Any, operation_model: Any, request: Any) -> Any:
            if actions and f"{operation_model.service_model.service_name}:{operation_model.name}" == operation:
                actions.pop()()
            return original(endpoint, operation_model, request)

        botocore.endpoint.Endpoint.make_request = make_request
        try:
            yield
        finally:
            botocore.endpoint.Endpoint.make_request = original

    @contextmanager
    def failing_for(self, named: str, failure: Failure) -> Iterator[None]:
        """Make the calls fail whose request names something, such as an ARN."""
        original = botocore.endpoint.Endpoint.make_request

        def make_request(endpoint: Any, operation_model: Any, request: Any) -> Any:
            if named.encode() in request["body"]:
                return failure()
            return original(endpoint, operation_model, request)

        botocore.endpoint.Endpoint.make_request = make_request
        try:
            yield
        finally:
            botocore.endpoint.Endpoint.make_request = original

    @contextmanager
    def repeating(self, repeated: str) -> Iterator[None]:
        """Send an operation twice and return the second result, as a retry after a lost response does."""
        original = botocore.endpoint.Endpoint.make_request

        def make_request(endpoint: Any, operation_model: Any, request: Any) -> Any:
            name = f"{operation_model.service_model.service_name}:{operation_model.name}"
            if name == repeated:
                original(endpoint, operation_model, copy.deepcopy(request))
            return original(endpoint, operation_model, request)

        botocore.endpoint.Endpoint.make_request = make_request
        try:
            yield
        finally:
            botocore.endpoint.Endpoint.make_request = original

    @contextmanager
    def losing_answer(self, lost: str, error: BaseException) -> Iterator[None]:
        """Execute an operation but return an error instead of its response, once, so that a client can retry."""
        original = botocore.endpoint.Endpoint._do_get_response
        answers = iter([error])

        def get_response(endpoint: Any, request: Any, operation_model: Any, context: Any) -> Any:
            answer = original(endpoint, request, operation_model, context)
            if f"{operation_model.service_model.service_name}:{operation_model.name}" != lost:
                return answer
            instead = next(answers, None)
            if instead is None:
                return answer
            if isinstance(instead, Exception):
                return None, instead
            raise instead

        botocore.endpoint.Endpoint._do_get_response = get_response
        try:
            yield
        finally:
            botocore.endpoint.Endpoint._do_get_response = original

    @contextmanager
    def recorded(self, failing: Mapping[str, Failure] | None = None) -> Iterator[list[str]]:
        """Record the calls of a block; an operation named in ``failing`` fails that way."""
        original = botocore.endpoint.Endpoint.make_request
        made: list[str] = []

        def make_request(endpoint: Any, operation_model: Any, request: Any) -> Any:
            name = f"{operation_model.service_model.service_name}:{operation_model.name}"
            made.append(name)
            if failing and name in failing:
                return failing[name]()
            return original(endpoint, operation_model, request)

        botocore.endpoint.Endpoint.make_request = make_request
        try:
            yield made
        finally:
            botocore.endpoint.Endpoint.make_request = original
