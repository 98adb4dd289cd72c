"""``POST /auth/mfa/setup`` through its Lambda handler, with an embedded DynamoDB and KMS behind it."""

import base64
import json
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from functions.shared.contract import PENDING_ATTRIBUTES, SETUP, SETUP_METRICS
from functions.shared.settings import ConfigurationError
from tests.support.aws_calls import Failure, raising, refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.events import REQUEST_ID, api_event
from tests.support.metrics import emitted_metrics

ISO_Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

type Load = Callable[[str], ModuleType]


def call(handler: ModuleType, **event: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    response = handler.lambda_handler(api_event(SETUP, **event), None)
    return response["statusCode"], json.loads(response["body"]), response["headers"]


def test_answers_the_secret_and_its_qr_code(load_handler: Load) -> None:
    status, body, headers = call(load_handler("setup_mfa"))

    assert status == 200
    assert set(body) == {"secret", "qrCode"}
    assert re.fullmatch("[A-Z2-7]{32}", body["secret"])
    assert body["qrCode"].startswith("data:image/png;base64,")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "application/json"


def test_stores_no_plaintext(aws: EmbeddedAws, load_handler: Load) -> None:
    _, body, _ = call(load_handler("setup_mfa"))

    item = aws.item("user-1")
    assert set(item) == set(PENDING_ATTRIBUTES)  # its role may write no other
    assert len(base64.b64decode(item["encrypted_secret"]["S"])) > 300
    assert base64.b64decode(item["iv"]["S"]) == bytes(11) + b"\x01"
    assert len(item["backup_codes"]["L"]) == 8
    stored = json.dumps(item)
    assert body["secret"] not in stored
    assert base64.b64encode(body["secret"].encode()).decode().rstrip("=") not in stored
    assert not re.search("[A-Z]{4}-[0-9]{4}", stored)


@pytest.mark.parametrize("status", [{"S": "ENABLED"}, None], ids=["enabled", "item of an older deployment"])
def test_refuses_when_enabled_with_two_aws_calls_and_changes_nothing(
    aws: EmbeddedAws, load_handler: Load, status: dict[str, str] | None
) -> None:
    handler = load_handler("setup_mfa")
    call(handler)
    aws.set("user-1", status=status)
    before = aws.item("user-1")

    with aws.calls.recorded() as made:
        code, body, _ = call(handler)

    assert code == 409
    assert ISO_Z.fullmatch(body.pop("timestamp"))
    assert body == {
        "error": "MFA_ALREADY_ENABLED",
        "message": "MFA is already enabled for this account",
        "request_id": REQUEST_ID,
    }
    assert made == ["kms:GenerateDataKey", "dynamodb:PutItem"]
    assert aws.item("user-1") == before


def test_replaces_a_pending_enrolment(aws: EmbeddedAws, load_handler: Load) -> None:
    handler = load_handler("setup_mfa")
    _, first, _ = call(handler)
    old = aws.item("user-1")
    _, second, _ = call(handler)
    new = aws.item("user-1")
    assert first["secret"] != second["secret"]
    assert old["encrypted_secret"] != new["encrypted_secret"]
    assert old["version"] != new["version"]
    assert old["backup_codes_salt"] != new["backup_codes_salt"]


def test_without_an_authorizer_nobody_is_authenticated(aws: EmbeddedAws, load_handler: Load) -> None:
    handler = load_handler("setup_mfa")
    with aws.calls.recorded() as made:
        status, body, _ = call(handler, user_id=None)
    assert status == 401
    assert ISO_Z.fullmatch(body.pop("timestamp"))
    assert body == {"error": "UNAUTHORIZED", "message": "User authentication required", "request_id": REQUEST_ID}
    assert made == []


@pytest.mark.parametrize("operation", ["kms:GenerateDataKey", "dynamodb:PutItem"])
@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(refused("AccessDeniedException"), id="denied"),
        pytest.param(refused("ThrottlingException"), id="throttled"),
        pytest.param(refused("DisabledException"), id="key disabled"),
        pytest.param(refused("ResourceNotFoundException"), id="not found"),
        pytest.param(refused("InternalServerError", 500), id="internal"),
        pytest.param(raising(ConnectTimeoutError(endpoint_url="https://dynamodb.example")), id="timed out"),
    ],
)
def test_fails_closed_when_aws_fails(aws: EmbeddedAws, load_handler: Load, operation: str, failure: Failure) -> None:
    handler = load_handler("setup_mfa")
    with aws.calls.recorded({operation: failure}):
        status, body, headers = call(handler)
    assert status == 503
    assert body["error"] == "SERVICE_UNAVAILABLE"
    assert int(headers["Retry-After"]) > 0
    assert "detail" not in json.dumps(body)
    assert aws.item("user-1") == {}
    assert call(handler)[0] == 200


def test_an_unexpected_failure_is_a_500_without_detail(
    aws: EmbeddedAws, load_handler: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = load_handler("setup_mfa")
    with aws.calls.recorded({"dynamodb:PutItem": raising(RuntimeError("the secret detail"))}):
        status, body, _ = call(handler)
    assert status == 500
    assert ISO_Z.fullmatch(body.pop("timestamp"))
    assert body == {"error": "INTERNAL_ERROR", "message": "An unexpected error occurred", "request_id": REQUEST_ID}
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert "the secret detail" not in logged


class TestMetrics:
    """Always: attempts = successful + already enabled + errors + system errors."""

    def outcome(self, capsys: pytest.CaptureFixture[str], handler: ModuleType, **event: Any) -> dict[str, float]:
        capsys.readouterr()
        call(handler, **event)
        return emitted_metrics(capsys.readouterr().out, environment="dev")

    @pytest.mark.parametrize(
        ("failing", "event", "expected"),
        [
            ({}, {}, {"MFASetupAttempts", "SuccessfulMFASetups"}),
            (
                {"kms:GenerateDataKey": refused("DisabledException")},
                {},
                {"MFASetupAttempts", "MFASetupErrors", "MFAKeyFailures"},
            ),
            ({"dynamodb:PutItem": raising(ZeroDivisionError())}, {}, {"MFASetupAttempts", "MFASetupSystemErrors"}),
            ({}, {"user_id": None}, {"UnauthorizedMFASetupAttempts"}),
            ({}, {"scope": "openid"}, {"MFAInsufficientScope"}),
        ],
        ids=["success", "known failure", "unexpected failure", "unauthorized", "scope"],
    )
    def test_of_each_outcome(
        self,
        aws: EmbeddedAws,
        load_handler: Load,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        failing: dict[str, Failure],
        event: dict[str, Any],
        expected: set[str],
    ) -> None:
        monkeypatch.setenv("MFA_REQUIRED_SCOPE", "mfa/manage")
        with aws.calls.recorded(failing):
            outcome = self.outcome(capsys, load_handler("setup_mfa"), **{"scope": "mfa/manage", **event})
        assert outcome == dict.fromkeys(expected, 1)

    def test_already_enabled(self, aws: EmbeddedAws, load_handler: Load, capsys: pytest.CaptureFixture[str]) -> None:
        handler = load_handler("setup_mfa")
        call(handler)
        aws.set("user-1", status={"S": "ENABLED"})
        assert self.outcome(capsys, handler) == {"MFASetupAttempts": 1, "MFAAlreadyEnabledErrors": 1}

    def test_the_six_names_are_the_contract(self) -> None:
        assert set(SETUP_METRICS.names()) == {
            "MFASetupAttempts",
            "SuccessfulMFASetups",
            "MFAAlreadyEnabledErrors",
            "MFASetupErrors",
            "MFASetupSystemErrors",
            "UnauthorizedMFASetupAttempts",
        }


class TestLog:
    def test_one_line_tells_what_happened_and_nothing_secret(
        self, aws: EmbeddedAws, load_handler: Load, capsys: pytest.CaptureFixture[str]
    ) -> None:
        handler = load_handler("setup_mfa")
        capsys.readouterr()
        _, body, _ = call(handler, label="ada@example.com")
        captured = capsys.readouterr()
        (line,) = [json.loads(line) for line in captured.out.splitlines()]
        assert line["message"] == "request answered"
        assert line["request_id"] == REQUEST_ID
        assert line["user_id"] == "user-1"
        assert line["status"] == 200
        assert line["route"] == "POST /auth/mfa/setup"
        item = aws.item("user-1")
        everything = captured.out + captured.err
        for private in (body["secret"], body["qrCode"][30:60], "ada@example.com", item["encrypted_secret"]["S"]):
            assert private not in everything

    @pytest.mark.parametrize(
        ("given", "logged"), [("JhT3dGEsIAMEb0w=", "JhT3dGEsIAMEb0w="), (None, None), ("a b", None), ("a" * 65, None)]
    )
    def test_has_the_request_id_that_callers_cannot_choose(
        self, load_handler: Load, capsys: pytest.CaptureFixture[str], given: Any, logged: str | None
    ) -> None:
        handler = load_handler("setup_mfa")
        event = api_event(SETUP)
        event["requestContext"]["extendedRequestId"] = given
        handler.lambda_handler(event, None)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (line,) = [line for line in lines if line.get("message") == "request answered"]
        assert line.get("extended_request_id") == logged

    def test_a_level_above_info_silences_it(
        self, load_handler: Load, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOG_LEVEL", "ERROR")
        handler = load_handler("setup_mfa")
        capsys.readouterr()
        call(handler)
        output = capsys.readouterr().out
        assert "request answered" not in output
        assert emitted_metrics(output, environment="dev")["MFASetupAttempts"] == 1


def test_a_configured_origin_may_read_even_errors(load_handler: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://other.example,https://app.example.com")
    _, _, headers = call(load_handler("setup_mfa"), headers={"origin": "https://app.example.com"}, user_id=None)
    assert headers["Access-Control-Allow-Origin"] == "https://app.example.com"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MFA_ENCRYPTION_KEY", ""),
        ("MFA_ENCRYPTION_KEY", "alias/mfa"),
        ("MFA_ENCRYPTION_KEY", "arn:aws:kms:us-east-1:123456789012:alias/mfa"),
        ("MFA_ENCRYPTION_KEY", "raw:dG9vIHNob3J0"),
        ("ENVIRONMENT", ""),
        ("ENVIRONMENT", "Prod!"),
        ("USERS_TABLE_NAME", "no spaces"),
        ("LOG_LEVEL", "LOUD"),
        ("MFA_ISSUER", "a\u0007b"),
        ("CORS_ALLOWED_ORIGINS", "web.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://web.example.com/path"),
    ],
)
def test_wrong_configuration_fails_at_start_up_and_names_the_variable(
    load_handler: Load, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable) as caught:
        load_handler("setup_mfa")
    assert not value or value not in str(caught.value)


def test_a_raw_key_is_for_development_only(load_handler: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = "raw:" + base64.b64encode(bytes(range(32))).decode()
    monkeypatch.setenv("MFA_ENCRYPTION_KEY", raw)
    assert call(load_handler("setup_mfa"))[0] == 200
    monkeypatch.setenv("ENVIRONMENT", "prod")
    with pytest.raises(ConfigurationError, match="MFA_ENCRYPTION_KEY"):
        load_handler("setup_mfa")
