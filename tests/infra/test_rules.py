"""cdk-nag and cfn-lint find nothing in any environment, and do find planted mistakes."""

from pathlib import Path

import pytest
from aws_cdk import aws_iam as iam

from tests.infra.checks import assert_no_findings, cfn_lint, nag_findings
from tests.infra.synthesis import Synthesize, Synthesized, synthesize

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
ZONE = {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "ailifestyle.app"}
DOMAIN = {"domain_name": "api.ailifestyle.app"}
TABLE = {"users_table_name": "users"}
KEY = {"secret_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}
MONITORING = {"monitoring.quiet_hours": "3", "monitoring.page_urls": "https://pager.example.com/sns"}
TABLE_KEY = {"users_table_key_arn": "arn:aws:kms:us-east-1:123456789012:key/00000000-12ab-34cd-56ef-1234567890ab"}


def test_no_findings(each: Synthesized) -> None:
    assert_no_findings(each)


@pytest.mark.parametrize(
    "settings",
    [
        DOMAIN | ZONE | {"waf": "false", "traffic_shift": "all-at-once"},
        DOMAIN | {"certificate_arn": CERTIFICATE, "traffic_shift": "linear-10-percent-every-1-minute"},
        DOMAIN | ZONE | {"certificate_arn": CERTIFICATE, "replica_regions": "us-west-2,eu-west-1"} | MONITORING,
        TABLE,
        KEY,
        TABLE | KEY | TABLE_KEY,
    ],
    ids=lambda settings: "+".join(settings),
)
def test_no_findings_with_optional_settings(synthesized: Synthesize, settings: dict[str, str]) -> None:
    assert_no_findings(synthesized("prod", **settings))


def test_cdk_nag_finds_a_wildcard() -> None:
    environment = synthesize("dev")
    role = environment.stage.service.functions["setup_mfa"].role
    role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:*"], resources=["*"]))

    assert any("AwsSolutions-IAM5" in finding for finding in nag_findings(environment))


def test_cfn_lint_finds_a_wrong_type(dev: Synthesized, tmp_path: Path) -> None:
    (original,) = (path for path in dev.templates if "identity" in path.name)
    broken = tmp_path / "broken.template.json"
    broken.write_text(original.read_text().replace('"MinimumLength": 12', '"MinimumLength": "long"'))

    assert cfn_lint(broken).returncode != 0


@pytest.mark.parametrize("stack", ["data", "identity", "service", "monitoring"])
def test_stacks_are_named_after_their_environment(each: Synthesized, environment: str, stack: str) -> None:
    assert f"mfa-{environment}-{stack}" in {found.properties["stackName"] for found in each.stacks.values()}
