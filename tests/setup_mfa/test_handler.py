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
from tests.support.life_cycle import User
from tests.support.metrics import Emitted

type Load = Callable[[str], ModuleType]


def call(handler: ModuleType, **event: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    response = handler.lambda_handler(api_event(SETUP, **event), None)
    return response["statusCode"], json.loads(response["body"]), response["headers"]


def test_answers_the_secret_and_its_qr_code(user: User) -> None:
    answer = user.setup()

    assert answer.status == 200
    assert set(answer.body) == {"secret", "qrCode"}
    assert re.fullmatch("[A-Z2-7]{32}", answer.body["secret"])
    assert answer.body["qrCode"].startswith("data:image/png;base64,")


def test_stores_no_plaintext(aws: EmbeddedAws, user: User) -> None:
    user.setup()

    item = aws.item("user-1")
    assert set(item) == set(PENDING_ATTRIBUTES)  # its role may write no other
    assert len(base64.b64decode(item["encrypted_secret"]["S"])) > 300
    assert base64.b64decode(item["iv"]["S"]) == bytes(11) + b"\x01"
    assert len(item["backup_codes"]["L"]) == 8
    stored = json.dumps(item)
    assert user.secret not in stored
    assert base64.b64encode(user.secret.encode()).decode().rstrip("=") not in stored
    assert not re.search("[A-Z]{4}-[0-9]{4}", stored)


@pytest.mark.parametrize("status", [{"S": "ENABLED"}, None], ids=["enabled", "item of an older deployment"])
def test_refuses_when_enabled_with_two_aws_calls_and_changes_nothing(
    aws: EmbeddedAws, user: User, status: dict[str, str] | None
) -> None:
    user.setup()
    aws.set("user-1", status=status)
    before = aws.item("user-1")

    with aws.calls.recorded() as made:
        answer = user.setup()

    assert (answer.status, answer.error) == (409, "MFA_ALREADY_ENABLED")
    assert answer.body["message"] == "MFA is already enabled for this account"
    assert made == ["kms:GenerateDataKey", "dynamodb:PutItem"]
    assert aws.item("user-1") == before


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
def test_fails_closed_when_aws_fails(
    aws: EmbeddedAws, user: User, emitted: Emitted, operation: str, failure: Failure
) -> None:
    with aws.calls.recorded({operation: failure}):
        answer = user.setup()
    key_failure = {"MFAKeyFailures"} if operation.startswith("kms:") else set()
    assert emitted() == dict.fromkeys({"MFASetupAttempts", "MFASetupErrors"} | key_failure, 1)
    assert (answer.status, answer.error) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    assert "detail" not in json.dumps(answer.body)
    assert aws.item("user-1") == {}
    assert user.setup().status == 200


def test_the_six_names_are_the_contract() -> None:
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
        call(load_handler("setup_mfa"))  # the search for leaks finds the secret, the QR code and the label
        captured = capsys.readouterr()
        line = json.loads(captured.out)
        assert {name: line[name] for name in ("message", "request_id", "user_id", "status", "route")} == {
            "message": "request answered",
            "request_id": REQUEST_ID,
            "user_id": "user-1",
            "status": 200,
            "route": "POST /auth/mfa/setup",
        }
        assert aws.item("user-1")["encrypted_secret"]["S"] not in captured.out + captured.err

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


def test_a_configured_origin_may_read_even_errors(load_handler: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://other.example,https://app.example.com")
    _, _, headers = call(load_handler("setup_mfa"), headers={"origin": "https://app.example.com"}, user_id=None)
    assert headers["Access-Control-Allow-Origin"] == "https://app.example.com"


def test_a_raw_key_is_for_development_only(load_handler: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = "raw:" + base64.b64encode(bytes(range(32))).decode()
    monkeypatch.setenv("MFA_ENCRYPTION_KEY", raw)
    assert call(load_handler("setup_mfa"))[0] == 200
    monkeypatch.setenv("ENVIRONMENT", "prod")
    with pytest.raises(ConfigurationError, match="MFA_ENCRYPTION_KEY"):
        load_handler("setup_mfa")
