"""Topics, their key, log masking, configuration and alarm rules."""

import re
from typing import Any

import pytest

from infra.config import ENVIRONMENTS
from infra.constructs.log_protection import PATTERNS
from infra.monitoring.resources import Series
from infra.monitoring.rules.model import AlarmRule
from infra.outputs import StackId
from tests.infra.deployments import EXISTING_TABLE, deployment
from tests.infra.monitoring.templates import ACCOUNT, REGION, Monitoring

M = Series(namespace="N", name="M")

ALERTS, PAGES = "<AWS::SNS::Topic mfa-prod-alerts>", "<AWS::SNS::Topic mfa-prod-pages>"
OUR_ALARMS = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:mfa-prod-*"},
}


def test_topics_are_encrypted_with_a_key_that_alarms_may_use(prod: Monitoring) -> None:
    key = prod.stack.only("AWS::KMS::Key")["Properties"]
    assert key["EnableKeyRotation"] is True
    (statement,) = [each for each in key["KeyPolicy"]["Statement"] if each.get("Sid") == "AlarmsMayPublish"]
    assert statement == {
        "Sid": "AlarmsMayPublish",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": OUR_ALARMS,
    }
    for topic in prod.stack.properties_of("AWS::SNS::Topic"):
        assert topic["KmsMasterKeyId"] == "<AWS::KMS::Key Arn>"


def test_topics_accept_messages_only_from_their_environments_alarms_and_over_tls(prod: Monitoring) -> None:
    policies = prod.stack.properties_of("AWS::SNS::TopicPolicy")
    assert {name for policy in policies for name in policy["Topics"]} == {ALERTS, PAGES}
    for policy in policies:
        (topic,) = policy["Topics"]
        deny, allow = policy["PolicyDocument"]["Statement"]
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert allow == {
            "Sid": "AlarmsMayPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": OUR_ALARMS,
        }


def test_subscribers_are_the_configured_ones(prod: Monitoring, dev: Monitoring) -> None:
    found = {
        (each["TopicArn"], each["Protocol"], each["Endpoint"])
        for each in prod.stack.properties_of("AWS::SNS::Subscription")
    }
    assert found == {
        (ALERTS, "email", "team@example.com"),
        (PAGES, "email", "night@example.com"),
        (PAGES, "https", "https://pager.example.com/sns"),
    }
    assert dev.stack.properties_of("AWS::SNS::Subscription") == []


def test_warns_of_pages_without_subscribers() -> None:
    assert sum("reach no one" in each for each in deployment("prod").annotations("warning")) == 1


# -- masking -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("OtpauthUri", "uri=otpauth://totp/AILifestyle:ada?secret=abc&issuer=AILifestyle"),
        ("OtpauthUri", "otpauth%3A%2F%2Ftotp%2FAILifestyle%3Aada"),
        ("Base32Secret", '{"secret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}'),
        ("BackupCode", "ABCD-1234"),
    ],
)
def test_masks_secrets(name: str, line: str) -> None:
    assert re.search(PATTERNS[name], line)


@pytest.mark.parametrize(
    "line",
    [
        '{"request_id":"6f1f9a2e-3c1b-4d55-9a0e-0f5a3c2b1d4e","route":"POST /auth/mfa/setup","status":200}',
        "REPORT RequestId: 6f1f9a2e-3c1b-4d55-9a0e-0f5a3c2b1d4e Duration: 12.10 ms XRAY TraceId: 1-5f84c7a1-1b2c3d4e",
        '{"user_id":"9c8b7a65-4321-4fed-8cba-0123456789ab","outcome":"MFA_ALREADY_ENABLED"}',
        "2026-01-20T10:00:00Z KMSInvalidStateException kms:GenerateDataKey",
    ],
)
def test_does_not_mask_ordinary_lines(line: str) -> None:
    assert not any(re.search(pattern, line) for pattern in PATTERNS.values())


def test_patterns_are_valid_custom_identifiers() -> None:
    for name, pattern in PATTERNS.items():
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name)
        assert re.fullmatch(r"[A-Za-z0-9_#=@/;,\- ^$?\[\]{}|\\*+.]{1,200}", pattern)


# -- configuration -------------------------------------------------------------------------------------------------


def test_only_prod_pages() -> None:
    assert {name: config.monitoring.paging for name, config in ENVIRONMENTS.items()} == {
        "dev": False,
        "prod": True,
        "local": False,
    }


# -- rules ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"series": {}}, "an alarm without an expression needs exactly one series"),
        ({"expression": "m0", "series": {f"m{i}": M for i in range(11)}}, "expected at most 10 metrics, got 11"),
        ({"datapoints": 2, "periods": 1}, "datapoints must be between 1 and periods (1)"),
    ],
)
def test_refuses_rules_that_cloudwatch_would_refuse(changes: dict[str, Any], complaint: str) -> None:
    rule: dict[str, Any] = {"key": "example", "happened": "", "response": "", "series": {"m": M}, "threshold": 1}
    with pytest.raises(ValueError, match=re.escape(complaint)):
        AlarmRule(**rule | changes)


def test_without_security_events_there_are_no_alarms_of_them() -> None:
    def alarms(name: str) -> set[str]:
        found = deployment(name).stacks[StackId.MONITORING].properties_of("AWS::CloudWatch::Alarm")
        return {each["AlarmName"].removeprefix("mfa-prod-") for each in found}

    assert alarms("prod") - alarms(EXISTING_TABLE) == {
        "security-event-failures",
        "security-events-delay",
        "security-events-dead-letter",
        "record-tampered",
    }
