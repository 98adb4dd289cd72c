"""API Gateway's REST data plane: everything between a request and its response except the integration."""

import base64
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from hypercorn.config import Config as ServerConfig
from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudwatch

#: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html, "Total combined size of request line and
#: header values" and "Payload size".
MAX_HEADER_BYTES: Final = 10_240
MAX_BODY_BYTES: Final = 10 * 1024 * 1024

#: The limit of the emulator's HTTP server for a request's head.
_SERVER_HEADER_BYTES: Final = 1024 * 1024


@dataclass
class Exchange:
    """One request to the gateway.

    Attributes
    ----------
    request
        MiniStack's record of the request.
    extended_id
        ``$context.extendedRequestId``, which no caller can choose.
    authorizer
        The context that the authorizer returned, as strings.
    integration_failed
        The function raised, timed out or returned an invalid response.
    """

    request: dict[str, Any]
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    extended_id: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(11)).decode())
    authorizer: dict[str, str] = field(default_factory=dict)
    integration_failed: bool = False

    @property
    def context(self) -> dict[str, str | int]:
        """The variables of ``$context`` that are the same for authorizer, function and gateway responses."""
        return {
            "requestId": self.request["request_id"],
            "extendedRequestId": self.extended_id,
            "requestTime": self.began.strftime("%d/%b/%Y:%H:%M:%S +0000"),  # as in the Common Log Format
            "requestTimeEpoch": int(self.began.timestamp() * 1000),
        }


_exchange: ContextVar[Exchange] = ContextVar("exchange")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_Response = Any  # MiniStack's (status, headers, body), or its error object


def track_exchange() -> None:
    """Use one request id and time for the authorizer, the function, gateway responses and the client.

    MiniStack uses a different id for each of these, and none for the authorizer. As on AWS, a caller can choose the
    request id, by a UUID in the header ``x-amzn-RequestId``.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
    """
    execute = gateway._execute_in_scope
    build_event = gateway._build_lambda_event_v1
    invoke_authorizer = gateway._invoke_authorizer_lambda

    async def execute_tracked(request: dict[str, Any], *arguments: Any) -> _Response:
        exchange = Exchange(request)
        _exchange.set(exchange)
        if _UUID.fullmatch(chosen := _header(request["headers"], "x-amzn-requestid")):
            request["request_id"] = chosen
        response = await execute(request, *arguments)
        if isinstance(response, tuple):
            response[1].setdefault("x-amzn-requestid", request["request_id"])
            response[1].setdefault("x-amz-apigw-id", exchange.extended_id)
        return response

    def build_tracked_event(*arguments: Any, **options: Any) -> dict[str, Any]:
        event: dict[str, Any] = build_event(*arguments, **options)
        event["requestContext"] |= _exchange.get().context
        return event

    async def invoke_tracked_authorizer(authorizer: Any, event: dict[str, Any], *arguments: Any) -> Any:
        exchange = _exchange.get()
        event["requestContext"] |= exchange.context | {
            "path": f"/{exchange.request['stage_name']}{event['path']}",
            "protocol": "HTTP/1.1",
        }
        return await invoke_authorizer(authorizer, event, *arguments)

    gateway._execute_in_scope = execute_tracked
    gateway._build_lambda_event_v1 = build_tracked_event
    gateway._invoke_authorizer_lambda = invoke_tracked_authorizer


def gateway_response_variables() -> None:
    """Resolve ``$context.authorizer.*`` and ``$context.requestTime*`` in gateway responses; MiniStack does not.

    A variable that the authorizer did not set is empty, as on AWS.
    """
    stringify = gateway._stringify_context
    pattern = gateway._GATEWAY_TEMPLATE_VARIABLE

    def stringify_and_keep(context: Any) -> dict[str, str]:
        result: dict[str, str] = stringify(context)
        _exchange.get().authorizer = result
        return result

    class Variables:
        """Replaces the pattern with which MiniStack finds variables in a template."""

        def sub(self, resolve: Callable[[re.Match[str]], str], template: str) -> str:
            def value(match: re.Match[str]) -> str:
                known = resolve(match)
                if known != match[0]:
                    return known
                return _variable((match[1] or match[2]).removeprefix("context."), known)

            return str(pattern.sub(value, template))

    gateway._stringify_context = stringify_and_keep
    gateway._GATEWAY_TEMPLATE_VARIABLE = Variables()


def context_in_gateway_response_headers() -> None:
    """Resolve ``context.authorizer.*`` in headers of gateway responses; MiniStack knows only ``context.requestId``."""
    request_value = gateway._gateway_request_value

    def value_with_context(source: str, request: dict[str, Any]) -> str | None:
        if source.startswith("context.authorizer."):
            return _variable(source.removeprefix("context."), "") or None
        value: str | None = request_value(source, request)
        return value

    gateway._gateway_request_value = value_with_context


def _variable(name: str, otherwise: str) -> str:
    exchange = _exchange.get()
    scope, _, key = name.partition(".")
    if scope == "authorizer":
        return exchange.authorizer.get(key, "")
    return str(exchange.context.get(name, otherwise))


class _IntegrationError(Exception):
    """The function did not return a valid response."""


def failed_functions() -> None:
    """Return 502, through ``DEFAULT_5XX``, for a function that raises, times out or returns an invalid response.

    MiniStack leaks the exception's message in the response, and accepts any object as a response.
    """
    read_result = gateway._lambda_proxy_response
    invoke = gateway._invoke_lambda_proxy_v1
    response_for_type = gateway._gateway_response_for_type

    def read_valid_result(result: dict[str, Any]) -> Any:
        response, error = read_result(result)
        if error or not (result.get("throttle") or _is_response(result.get("body"))):
            raise _IntegrationError
        return response, None

    async def invoke_safely(*arguments: Any, **options: Any) -> _Response:
        try:
            return await invoke(*arguments, **options)
        except _IntegrationError:
            _exchange.get().integration_failed = True
            return gateway._gw_error("DEFAULT_5XX", "Internal server error")

    def response_with_status(customized: Any, response_type: str) -> dict[str, Any]:
        response: dict[str, Any] = response_for_type(customized, response_type)
        exchange = _exchange.get(None)
        if exchange is not None and exchange.integration_failed and not response.get("statusCode"):
            return response | {"statusCode": str(HTTPStatus.BAD_GATEWAY.value)}
        return response

    gateway._lambda_proxy_response = read_valid_result
    gateway._invoke_lambda_proxy_v1 = invoke_safely
    gateway._gateway_response_for_type = response_with_status


def _is_response(body: Any) -> bool:
    return isinstance(body, dict) and str(body.get("statusCode", "")).isdigit()


#: The headers of a function's response that API Gateway renames, and those that it drops.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
RENAMED_HEADERS: Final = frozenset(
    ["authorization", "connection", "content-md5", "date", "max-forwards", "server", "user-agent", "www-authenticate"]
)
DROPPED_HEADERS: Final = frozenset(
    ["expect", "host", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "via"]
)


def renamed_headers() -> None:
    """Rename or drop the headers of a function's response that API Gateway keeps for itself.

    MiniStack sends them unchanged. The headers of gateway responses stay as they are.
    """
    read_result = gateway._lambda_proxy_response

    def read_and_rename(result: dict[str, Any]) -> Any:
        response, error = read_result(result)
        if isinstance(response, dict):
            members = ("headers", "multiValueHeaders")
            response = response | {name: _renamed(response[name]) for name in members if response.get(name)}
        return response, error

    gateway._lambda_proxy_response = read_and_rename


def _renamed(headers: dict[str, Any]) -> dict[str, Any]:
    return {
        f"x-amzn-Remapped-{name}" if name.lower() in RENAMED_HEADERS else name: value
        for name, value in headers.items()
        if name.lower() not in DROPPED_HEADERS
    }


_VARIABLE: Final = re.compile(r"\$context\.([A-Za-z.]+)")
#: The condition and the assignment of the template that CDK writes for more than one origin.
_ORIGIN: Final = re.compile(r'\$origin == "([^"]*)"')
_ORIGIN_OVERRIDE: Final = "#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)"


def mock_responses() -> None:
    """Apply the response template of a mock integration: ``$context`` variables, and the origins of a preflight.

    MiniStack sends the template's text as the body of the response, even of a 204. CDK writes the first origin that a
    preflight allows as a constant, and the others into a template.
    """
    invoke_mock = gateway._invoke_mock_v1

    def invoke_mock_with_template(integration: dict[str, Any]) -> _Response:
        status, headers, body = invoke_mock(integration)
        template = body.decode()
        if _ORIGIN_OVERRIDE in template:
            origin = _header(_exchange.get().request["headers"], "origin")
            if origin and origin in _ORIGIN.findall(template):  # the template compares it also with ""
                headers["Access-Control-Allow-Origin"] = origin
            template = ""
        if status == HTTPStatus.NO_CONTENT:
            template = ""
        return status, headers, _VARIABLE.sub(lambda match: _variable(match[1], match[0]), template).encode()

    gateway._invoke_mock_v1 = invoke_mock_with_template


def _header(headers: dict[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def size_limits() -> None:
    """Apply API Gateway's limits to the size of a request's head and body, with its responses.

    MiniStack's server ends the connection at 16 KiB of head, with an empty 431, and has no limit for the body. AWS does
    not document the gateway response for a head that is too large; this uses that for a body.
    """
    execute = gateway._execute_in_scope
    ServerConfig.h11_max_incomplete_size = _SERVER_HEADER_BYTES

    async def execute_within_limits(
        request: dict[str, Any],
        api_id: str,
        stage_name: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        *arguments: Any,
    ) -> _Response:
        stage = gateway._stages_v1.get(api_id, {}).get(stage_name)
        head = len(method) + len(path) + sum(len(value.encode()) for value in headers.values())
        if stage is not None and (head > MAX_HEADER_BYTES or len(body or b"") > MAX_BODY_BYTES):
            request["stage"] = stage
            which, limit = ("header", MAX_HEADER_BYTES) if head > MAX_HEADER_BYTES else ("content", MAX_BODY_BYTES)
            return gateway._gw_error("REQUEST_TOO_LARGE", f"HTTP {which} is larger than {limit} bytes")
        return await execute(request, api_id, stage_name, method, path, headers, body, *arguments)

    gateway._execute_in_scope = execute_within_limits


def gateway_metrics() -> None:
    """Count every request in ``AWS/ApiGateway``: ``Count``, ``4XXError``, ``5XXError`` and ``Latency``.

    MiniStack publishes metrics of functions, but not of APIs. The dimensions are ``ApiName`` and ``Stage``, as without
    detailed metrics.
    """
    handle = gateway._handle_execute_in_scope

    async def handle_and_measure(api_id: str, stage_name: str, *arguments: Any) -> _Response:
        began = datetime.now(UTC)
        response = await handle(api_id, stage_name, *arguments)
        milliseconds = (datetime.now(UTC) - began).total_seconds() * 1000
        name = gateway._rest_apis.get(api_id, {}).get("name", "")
        for metric, value, unit in (
            ("Count", 1, "Count"),
            ("4XXError", int(400 <= response[0] < 500), "Count"),
            ("5XXError", int(response[0] >= 500), "Count"),
            ("Latency", milliseconds, "Milliseconds"),
        ):
            cloudwatch.record_metric("AWS/ApiGateway", metric, value, unit, {"ApiName": name, "Stage": stage_name})
        return response

    gateway._handle_execute_in_scope = handle_and_measure


#: In order: the last one that wraps a function is called first.
GAPS: Final = (
    gateway_response_variables,
    context_in_gateway_response_headers,
    failed_functions,
    renamed_headers,
    mock_responses,
    size_limits,
    track_exchange,
    gateway_metrics,
)
