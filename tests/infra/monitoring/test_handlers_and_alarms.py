"""Metrics of the real handlers fire each of the six alarms on setup."""

import json
from collections.abc import Callable
from types import ModuleType

import pytest

from functions.shared import contract
from local.cloudwatch.alarm_state import AlarmState, alarm_state
from tests.infra.monitoring.templates import Monitoring
from tests.support.aws_calls import raising, refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.events import api_event
from tests.support.metric_store import MetricStore

NOW = 7200

type Load = Callable[[str], ModuleType]
type Captured = pytest.CaptureFixture[str]


def _setup(load: Load, captured: Captured, expected: int) -> list[str]:
    """Return what the setup function logs for one request."""
    handler = load("setup_mfa")
    captured.readouterr()
    response = handler.lambda_handler(api_event(contract.SETUP), None)
    assert response["statusCode"] == expected
    return captured.readouterr().out.splitlines()


def _fires_at_its_threshold(monitoring: Monitoring, metric: str, lines: list[str]) -> None:
    (alarm,) = [each for each in monitoring.alarms.values() if each.get("MetricName") == metric]
    enough = int(alarm["Threshold"])
    for requests, state in ((enough, AlarmState.ALARM), (enough - 1, AlarmState.OK)):
        store = MetricStore()
        store.put_embedded(lines * requests, at=NOW - 1)
        assert alarm_state(alarm, store, now=NOW) is state


def test_successes_and_attempts(dev: Monitoring, load_handler: Load, capsys: Captured) -> None:
    lines = _setup(load_handler, capsys, 200)
    _fires_at_its_threshold(dev, "SuccessfulMFASetups", lines)
    _fires_at_its_threshold(dev, "MFASetupAttempts", lines)


def test_already_enabled(dev: Monitoring, aws: EmbeddedAws, load_handler: Load, capsys: Captured) -> None:
    _setup(load_handler, capsys, 200)
    aws.set("user-1", status={"S": "ENABLED"})
    _fires_at_its_threshold(dev, "MFAAlreadyEnabledErrors", _setup(load_handler, capsys, 409))


def test_errors(dev: Monitoring, aws: EmbeddedAws, load_handler: Load, capsys: Captured) -> None:
    with aws.calls.recorded({"kms:GenerateDataKey": refused("DisabledException")}):
        lines = _setup(load_handler, capsys, 503)
    _fires_at_its_threshold(dev, "MFASetupErrors", lines)


def test_system_errors(dev: Monitoring, aws: EmbeddedAws, load_handler: Load, capsys: Captured) -> None:
    with aws.calls.recorded({"dynamodb:PutItem": raising(RuntimeError())}):
        lines = _setup(load_handler, capsys, 500)
    _fires_at_its_threshold(dev, "MFASetupSystemErrors", lines)


def test_unauthorized(dev: Monitoring, authorizer: ModuleType, capsys: Captured) -> None:
    event = {**api_event(contract.SETUP, user_id=None), "methodArn": "arn:aws:execute-api:eu-central-1:1:a/v1/POST/x"}
    policy = authorizer.lambda_handler(event, None)
    assert policy["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    lines = capsys.readouterr().out.splitlines()
    assert any("_aws" in json.loads(line) for line in lines)
    _fires_at_its_threshold(dev, "UnauthorizedMFASetupAttempts", lines)
