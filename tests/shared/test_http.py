"""The only way in and out of every route, tested on a route that only this test has."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.shared.contract import VERIFY, Metric
from functions.shared.errors import (
    ApiError,
    ConflictError,
    InternalError,
    InvalidCodeError,
    MfaAlreadyEnabledError,
    MfaNotEnabledError,
    ServiceUnavailableError,
    TooManyAttemptsError,
    UnauthorizedError,
    ValidationError,
)
from functions.shared.http import LambdaHandler, Request
from functions.shared.request_body import TotpRequest
from functions.shared.settings import EndpointSettings
from tests.support.events import REQUEST_ID, api_event
from tests.support.metrics import Emitted
from tests.support.routes import Value, handler_of

ISO_Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
COUNTS = VERIFY.metrics


type Operation = Callable[[Request[Any]], Value]


def handler(
    operation: Operation, *, origins: tuple[str, ...] = (), scope: str | None = None, **options: Any
) -> LambdaHandler:
    return handler_of(operation, VERIFY, EndpointSettings("dev", "INFO", origins, scope), **options)


def answering(_: Request[Any]) -> Value:
    return Value(1)


def raising(error: BaseException) -> Operation:
    def operation(_: Request[Any]) -> Value:
        raise error

    return operation


def test_a_200_has_the_models_json_and_the_contracts_headers() -> None:
    assert handler(answering)(api_event(VERIFY), None) == {
        "statusCode": 200,
        "headers": {
            "Cache-Control": "no-store",
            "Content-Type": "application/json",
            "X-Content-Type-Options": "nosniff",
        },
        "body": '{"someValue":1}',
        "isBase64Encoded": False,
    }


def test_the_operation_gets_the_caller_and_the_parsed_body() -> None:
    seen: list[Request[Any]] = []

    def operation(request: Request[Any]) -> Value:
        seen.append(request)
        return Value(1)

    event = api_event(VERIFY, user_id="user-7", label="Ada", scope="a b", body={"code": "123 456"})
    handler(operation, body=TotpRequest)(event, None)
    (request,) = seen
    assert (request.identity.user_id, request.identity.label) == ("user-7", "Ada")
    assert request.identity.scopes == {"a", "b"}
    assert (request.request_id, request.body) == (REQUEST_ID, TotpRequest(code="123456"))


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (ValidationError("code must be six digits"), 400, "VALIDATION_ERROR", {}),
        (InvalidCodeError(), 400, "INVALID_CODE", {}),
        (UnauthorizedError(), 401, "UNAUTHORIZED", {}),
        (MfaAlreadyEnabledError(), 409, "MFA_ALREADY_ENABLED", {}),
        (MfaNotEnabledError(), 409, "MFA_NOT_ENABLED", {}),
        (ConflictError(), 409, "CONFLICT", {}),
        (TooManyAttemptsError(61), 429, "TOO_MANY_ATTEMPTS", {"Retry-After": "61"}),
        (TooManyAttemptsError(None), 429, "TOO_MANY_ATTEMPTS", {}),
        (ServiceUnavailableError("kms:Decrypt", "Timeout"), 503, "SERVICE_UNAVAILABLE", {"Retry-After": "2"}),
        (InternalError(), 500, "INTERNAL_ERROR", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ApiError) else "",
)
def test_an_error_is_an_answer_of_exactly_four_members(
    error: ApiError, status: int, code: str, headers: dict[str, str]
) -> None:
    response = handler(raising(error))(api_event(VERIFY), None)
    body = json.loads(response["body"])
    assert response["statusCode"] == status
    assert ISO_Z.fullmatch(body.pop("timestamp"))
    assert body == {"error": code, "message": error.message, "request_id": REQUEST_ID}
    special = response["headers"].keys() - {"Cache-Control", "Content-Type", "X-Content-Type-Options"}
    assert {name: response["headers"][name] for name in special} == headers


@pytest.mark.parametrize("error", [RuntimeError("a secret"), KeyError("a secret"), RecursionError(), MemoryError()])
def test_what_is_not_foreseen_is_a_500_without_detail(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    response = handler(raising(error))(api_event(VERIFY), None)
    assert (response["statusCode"], json.loads(response["body"])["error"]) == (500, "INTERNAL_ERROR")
    captured = capsys.readouterr()
    assert "a secret" not in response["body"] + captured.out + captured.err


def test_an_error_has_the_time_of_the_clock() -> None:
    response = handler(raising(ConflictError()), clock=lambda: 1_705_744_800.9)(api_event(VERIFY), None)
    assert json.loads(response["body"])["timestamp"] == "2024-01-20T10:00:00Z"


def test_an_invalid_body_is_an_attempt_and_the_operation_is_not_called(emitted: Emitted) -> None:
    event = api_event(VERIFY, body={"code": "12345"})
    response = handler(raising(AssertionError()), body=TotpRequest)(event, None)
    assert (response["statusCode"], json.loads(response["body"])["error"]) == (400, "VALIDATION_ERROR")
    assert emitted() == {COUNTS.attempts: 1, COUNTS.rejections: 1}


def test_a_body_that_cannot_be_written_is_a_500() -> None:
    response = handler(lambda _: Value(object()))(api_event(VERIFY), None)
    assert response["statusCode"] == 500


@pytest.mark.parametrize(
    "event",
    [
        *(None, [], "", "event", 1, True, {}, {"requestContext": None}, {"requestContext": []}),
        *({"requestContext": "x", "headers": "x"}, {"requestContext": {"authorizer": "x"}}, {"headers": [1]}),
        *({"headers": {"origin": None}}, {"headers": {"origin": ["https://app.example.com"]}}),
    ],
    ids=str,
)
def test_an_event_that_is_not_api_gateways_is_nobodys(event: Any) -> None:
    response = handler(answering, origins=("https://app.example.com",))(event, None)
    assert response["statusCode"] == 401
    assert json.loads(response["body"])["request_id"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["requestContext", "authorizer", "user_id", "label", "scope", "headers", "requestId", "origin"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=JSON)
def test_no_event_raises(event: Any) -> None:
    for origins in ((), ("*",), ("https://app.example.com",)):
        response = handler(answering, origins=origins, scope="s")(event, None)
        assert response["statusCode"] in (401, 403, 200)
        assert all(isinstance(value, str) for value in response["headers"].values())
        json.loads(response["body"])


class TestRequestId:
    """Callers can choose it. It is stored: one of 420 KB could not be, and one with a prefix would be an operator's."""

    LAMBDAS = "c0ffee00-0000-4000-8000-000000000000"

    @pytest.mark.parametrize("chosen", [None, "", 7, "operator:" + REQUEST_ID, REQUEST_ID + "\n", "a" * 420_000])
    def test_anything_but_a_uuid_is_replaced_by_lambdas(self, chosen: Any) -> None:
        class Context:
            aws_request_id = self.LAMBDAS

        seen: list[str] = []

        def operation(request: Request[Any]) -> Value:
            seen.append(request.request_id)
            raise ConflictError

        response = handler(operation)(api_event(VERIFY, request_id=chosen), Context())
        assert [json.loads(response["body"])["request_id"], *seen] == [self.LAMBDAS] * 2

    def test_in_capital_letters_it_cannot_look_like_a_backup_code(self) -> None:
        chosen = "0000ABCD-1234-4000-8000-000000000000"
        response = handler(raising(ConflictError()))(api_event(VERIFY, request_id=chosen), None)
        assert json.loads(response["body"])["request_id"] == chosen.lower()

    def test_without_either_it_is_new_each_time(self) -> None:
        event = api_event(VERIFY, request_id="")
        operation = handler(raising(ConflictError()))
        ids = {json.loads(operation(event, None)["body"])["request_id"] for _ in range(3)}
        assert len(ids) == 3


class TestScope:
    def test_a_missing_scope_is_a_403_that_names_it_and_nothing_is_done(self) -> None:
        response = handler(raising(AssertionError()), scope="mfa/manage")(api_event(VERIFY, scope="openid"), None)
        assert response["statusCode"] == 403
        assert response["headers"]["Required-Scope"] == "mfa/manage"


class TestCors:
    APP = "https://app.example.com"

    def headers(self, *allowed: str, **sent: str) -> dict[str, str]:
        response = handler(answering, origins=allowed)(api_event(VERIFY, headers=sent), None)
        found: dict[str, str] = response["headers"]
        return {name: value for name, value in found.items() if name.startswith("Access") or name == "Vary"}

    def test_nothing_is_said_where_no_origin_is_configured(self) -> None:
        assert self.headers(origin=self.APP) == {}

    @pytest.mark.parametrize("name", ["origin", "Origin", "ORIGIN"])
    def test_a_configured_origin_is_allowed_to_read(self, name: str) -> None:
        assert self.headers("https://other.example", self.APP, **{name: self.APP}) == {
            "Access-Control-Allow-Origin": self.APP,
            "Access-Control-Expose-Headers": "Date, Required-Scope, Retry-After, WWW-Authenticate",
            "Vary": "Origin",
        }

    @pytest.mark.parametrize(
        "origin",
        [
            *("https://evil.example", "https://app.example.com.evil.example", "https://evil.example/app.example.com"),
            *("null", "", "*", "http://app.example.com", "https://app.example.com:8443", "https://APP.example.com"),
        ],
    )
    def test_another_is_not_but_caches_learn_that_it_matters(self, origin: str) -> None:
        assert self.headers(self.APP, origin=origin) == {"Vary": "Origin"}

    def test_a_star_allows_all(self) -> None:
        assert self.headers("*", origin="https://any.example")["Access-Control-Allow-Origin"] == "*"

    def test_credentials_are_never_allowed(self) -> None:
        for allowed in ("*", self.APP):
            assert "Access-Control-Allow-Credentials" not in self.headers(allowed, origin=self.APP)


class TestMetrics:
    """Always: attempts = successes + rejections + errors + system errors."""

    @pytest.mark.parametrize(
        ("operation", "event", "counted"),
        [
            (answering, {}, {COUNTS.attempts, COUNTS.successes}),
            (raising(InvalidCodeError()), {}, {COUNTS.attempts, COUNTS.rejections}),
            (raising(TooManyAttemptsError(1)), {}, {COUNTS.attempts, COUNTS.rejections}),
            (raising(ServiceUnavailableError("a", "b")), {}, {COUNTS.attempts, COUNTS.errors}),
            (raising(RuntimeError()), {}, {COUNTS.attempts, COUNTS.system_errors}),
            (answering, {"user_id": None}, {COUNTS.unauthorized}),
            (answering, {"scope": "openid"}, {str(Metric.INSUFFICIENT_SCOPE)}),
        ],
        ids=["success", "rejection", "lock", "error", "system error", "unauthorized", "scope"],
    )
    def test_each_answer_counts_itself(
        self, operation: Operation, event: dict[str, Any], counted: set[str], emitted: Emitted
    ) -> None:
        handler(operation, scope="s")(api_event(VERIFY, **{"scope": "s", **event}), None)
        assert emitted() == dict.fromkeys(counted, 1)

    def test_what_the_operation_counts_is_counted_even_when_it_fails(self, emitted: Emitted) -> None:
        def operation(request: Request[Any]) -> Value:
            request.count(Metric.REPLAYS_REJECTED)
            raise InvalidCodeError

        handler(operation)(api_event(VERIFY), None)
        assert emitted() == {COUNTS.attempts: 1, COUNTS.rejections: 1, "MFAReplaysRejected": 1}
