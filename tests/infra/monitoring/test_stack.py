"""Topics, their key, log masking and configuration: what must hold whatever the thresholds are."""

import re
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from functions.shared import contract
from infra.config import ENVIRONMENTS, ConfigError, MonitoringConfig, Thresholds
from infra.monitoring.log_protection import PATTERNS, log_protection_policy
from infra.monitoring.resources import WatchedFunction
from infra.monitoring.rules import alarm_rules
from infra.monitoring.rules.model import AlarmRule, Missing, Series
from tests.infra.monitoring.templates import ACCOUNT, REGION, Monitoring, resources

OUR_ALARMS = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:mfa-prod-*"},
}


def test_topics_are_encrypted_with_a_key_that_alarms_may_use(prod: Monitoring) -> None:
    ((key_name, key),) = prod.of_type("AWS::KMS::Key").items()
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
    for topic in prod.of_type("AWS::SNS::Topic").values():
        assert key_name in topic["KmsMasterKeyId"]


def test_topics_take_messages_from_our_alarms_alone_and_over_tls(prod: Monitoring) -> None:
    policies = prod.of_type("AWS::SNS::TopicPolicy").values()
    assert {name for policy in policies for name in policy["Topics"]} == {"mfa-prod-alerts", "mfa-prod-pages"}
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


def test_subscribers_are_those_of_the_configuration(prod: Monitoring, dev: Monitoring) -> None:
    found = {
        (each["TopicArn"], each["Protocol"], each["Endpoint"])
        for each in prod.of_type("AWS::SNS::Subscription").values()
    }
    assert found == {
        ("mfa-prod-alerts", "email", "team@example.com"),
        ("mfa-prod-pages", "email", "night@example.com"),
        ("mfa-prod-pages", "https", "https://pager.example.com/sns"),
    }
    assert dev.of_type("AWS::SNS::Subscription") == {}


def test_nag_finds_nothing(prod: Monitoring, dev: Monitoring, local: Monitoring) -> None:
    for monitoring in (prod, dev, local):
        report = AwsSolutionsChecks().validate_scope(monitoring.stack)
        assert list(report.violations) == []
        assert report.success


def test_the_template_is_the_same_twice(dev: Monitoring) -> None:
    assert Monitoring.synthesize("dev", ENVIRONMENTS["dev"].monitoring).template == dev.template


def test_paging_that_reaches_nobody_is_warned_of() -> None:
    from aws_cdk.assertions import Annotations, Match

    silent = Monitoring.synthesize("prod", ENVIRONMENTS["prod"].monitoring)
    warnings = Annotations.from_stack(silent.stack).find_warning("*", Match.string_like_regexp("reach nobody"))
    assert len(warnings) == 1


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
def test_masks_what_must_not_be_read(name: str, line: str) -> None:
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
def test_leaves_ordinary_lines_alone(line: str) -> None:
    assert not any(re.search(pattern, line) for pattern in PATTERNS.values())


def test_patterns_use_only_what_custom_identifiers_allow() -> None:
    for name, pattern in PATTERNS.items():
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name)
        assert re.fullmatch(r"[A-Za-z0-9_#=@/;,\- ^$?\[\]{}|\\*+.]{1,200}", pattern)


def test_the_policy_audits_and_masks() -> None:
    stack = Stack(App(), "logs")
    logs.LogGroup(stack, "Logs", data_protection_policy=log_protection_policy())
    (group,) = Template.from_stack(stack).find_resources("AWS::Logs::LogGroup").values()
    policy: dict[str, Any] = group["Properties"]["DataProtectionPolicy"]
    identifiers = policy["Configuration"]["CustomDataIdentifier"]
    assert {each["Name"]: each["Regex"] for each in identifiers} == PATTERNS
    audit, mask = policy["Statement"]
    assert "Audit" in audit["Operation"]
    assert "Deidentify" in mask["Operation"]
    assert audit["DataIdentifier"] == mask["DataIdentifier"] == list(PATTERNS)


# -- configuration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"alert_emails": ("nobody",)}, "monitoring.alert_emails: expected an e-mail address, got 'nobody'"),
        ({"paging": True, "page_emails": ("x",)}, "monitoring.page_emails: expected an e-mail address, got 'x'"),
        ({"paging": True, "page_urls": ("http://x",)}, "monitoring.page_urls: expected an https:// address"),
        ({"page_urls": ("https://x",)}, "monitoring.paging: expected true where"),
        ({"quiet_hours": 25}, "monitoring.quiet_hours: expected 1 to 24, got 25"),
        ({"runbook_url": ""}, "monitoring.runbook_url: expected an address without fragment"),
        ({"runbook_url": "https://x#y"}, "monitoring.runbook_url: expected an address without fragment"),
    ],
)
def test_refuses_what_could_not_work(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        MonitoringConfig(**changes)


def test_refuses_thresholds_that_always_fire() -> None:
    with pytest.raises(ConfigError, match=r"thresholds\.errors: expected a whole number from 1 to 1000000000, got 0"):
        Thresholds(errors=0)


def test_only_prod_pages() -> None:
    assert {name: config.monitoring.paging for name, config in ENVIRONMENTS.items()} == {
        "dev": False,
        "prod": True,
        "local": False,
    }


# -- the table of rules --------------------------------------------------------------------------------------------


def _rule(**changes: Any) -> AlarmRule:
    given: dict[str, Any] = {
        "key": "example",
        "happened": "Something.",
        "response": "Look.",
        "series": {"m": Series(namespace="N", name="M")},
        "threshold": 1,
        "missing": Missing.NOT_BREACHING,
    }
    return AlarmRule(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"series": {}}, "without an expression there is exactly one series"),
        (
            {"expression": "m0", "series": {f"m{i}": Series(namespace="N", name="M") for i in range(11)}},
            "10 metrics at most",
        ),
        ({"datapoints": 2, "periods": 1}, "2 of 1 datapoints can not be"),
    ],
)
def test_refuses_rules_that_cloudwatch_would_refuse(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        _rule(**changes)


def test_refuses_a_function_without_a_time_out() -> None:
    with pytest.raises(ValueError, match="expected a time-out above 0 seconds"):
        WatchedFunction(folder="setup_mfa", timeout_seconds=0)


def test_refuses_two_rules_of_one_name() -> None:
    with pytest.raises(ValueError, match="alarms of the same name: setup-mfa-error-ratio"):
        alarm_rules(
            environment="dev",
            resources=resources("dev"),
            config=ENVIRONMENTS["dev"].monitoring,
            endpoints=(contract.SETUP, contract.SETUP),
        )


def test_watches_only_what_is_deployed() -> None:
    deployed = resources("dev")
    least = replace(
        deployed,
        functions=tuple(each for each in deployed.functions if each.folder in {"setup_mfa", "jwt_authorizer"}),
        dead_letter_queue_name=None,
    )
    rules = alarm_rules(
        environment="dev", resources=least, config=ENVIRONMENTS["dev"].monitoring, endpoints=(contract.SETUP,)
    )
    keys = {rule.key for rule in rules}
    assert "setup-mfa-errors" in keys
    assert not keys & {"verify-mfa-errors", "verify-mfa-no-success", "unauthorized-surge", "security-event-failures"}
