"""cdk-nag and cfn-lint find nothing in any environment, and do find planted mistakes."""

import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks

from infra.config import ENVIRONMENTS
from tests.infra.synthesis import Synthesized, new_app, synthesize
from tests.infra.test_policy_reference import SECOND_REGION

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
ZONE = {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "ailifestyle.app"}
PROD = {"environment": "prod"}
DOMAIN = PROD | {"domain_name": "api.ailifestyle.app"}
TABLE = PROD | {"users_table_name": "users"}
KEY = PROD | {"secret_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}
MONITORING = {"monitoring.quiet_hours": "3", "monitoring.page_urls": "https://pager.example.com/sns"}
TABLE_KEY = {"users_table_key_arn": "arn:aws:kms:us-east-1:123456789012:key/00000000-12ab-34cd-56ef-1234567890ab"}
DEPLOYMENTS = [
    *({"environment": environment} for environment in ENVIRONMENTS),
    DOMAIN | ZONE | {"waf": "false", "traffic_shift": "all-at-once"},
    DOMAIN | {"certificate_arn": CERTIFICATE, "traffic_shift": "linear-10-percent-every-1-minute"},
    DOMAIN | ZONE | {"certificate_arn": CERTIFICATE, "replica_regions": "us-west-2,eu-west-1"} | MONITORING,
    TABLE,
    KEY,
    TABLE | KEY | TABLE_KEY,
    PROD | {"proof_audience": "payments", "proof_keys": "new,old"},
    SECOND_REGION,
]


def nag_findings(app: App) -> list[str]:
    report = AwsSolutionsChecks().validate_scope(app)
    return [
        f"{violation.rule_name} on {resource.resource_logical_id}"
        for violation in report.violations
        for resource in violation.violating_resources
    ]


def cfn_lint(*templates: Path) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("cfn-lint"))
    # W3005: CDK makes a function depend on its role's policy and on the role. The role is redundant, and harmless.
    command = [program, "--ignore-checks", "W3005", "--", *map(str, templates)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("settings", DEPLOYMENTS, ids="+".join)
def test_cdk_nag_finds_nothing(settings: dict[str, str]) -> None:
    assert nag_findings(synthesize(**settings).app) == []


def test_cfn_lint_finds_nothing() -> None:
    finished = cfn_lint(*(template for settings in DEPLOYMENTS for template in synthesize(**settings).templates))

    assert (finished.returncode, finished.stdout) == (0, "")


def test_cdk_nag_finds_a_wildcard() -> None:
    app = new_app()
    role = iam.Role(Stack(app, "Planted"), "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:*"], resources=["*"]))

    assert any("AwsSolutions-IAM5" in finding for finding in nag_findings(app))


def test_cfn_lint_finds_a_wrong_type(dev: Synthesized, tmp_path: Path) -> None:
    (original,) = (path for path in dev.templates if "identity" in path.name)
    broken = tmp_path / "broken.template.json"
    broken.write_text(original.read_text().replace('"MinimumLength": 12', '"MinimumLength": "long"'))

    assert cfn_lint(broken).returncode != 0


@pytest.mark.parametrize("stack", ["data", "identity", "service", "monitoring"])
def test_stacks_are_named_after_their_environment(each: Synthesized, environment: str, stack: str) -> None:
    assert f"mfa-{environment}-{stack}" in {found.properties["stackName"] for found in each.stacks.values()}
