"""cdk-nag and cfn-lint find nothing in any environment, and would if there were something."""

import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks

from tests.infra.synthesis import Synthesized, synthesize


def nag_findings(environment: Synthesized) -> list[str]:
    report = AwsSolutionsChecks().validate_scope(environment.app)
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


def test_cdk_nag_finds_nothing(each: Synthesized) -> None:
    assert nag_findings(each) == []


def test_cdk_nag_would_find_something() -> None:
    environment = synthesize("dev")
    role = environment.stage.service.functions["setup_mfa"].role
    role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:*"], resources=["*"]))

    assert any("AwsSolutions-IAM5" in finding for finding in nag_findings(environment))


def test_cfn_lint_finds_nothing(each: Synthesized) -> None:
    finished = cfn_lint(*each.templates)

    assert (finished.returncode, finished.stdout) == (0, "")


def test_cfn_lint_would_find_something(dev: Synthesized, tmp_path: Path) -> None:
    (original,) = (path for path in dev.templates if "identity" in path.name)
    broken = tmp_path / "broken.template.json"
    broken.write_text(original.read_text().replace('"MinimumLength": 12', '"MinimumLength": "long"'))

    assert cfn_lint(broken).returncode != 0


@pytest.mark.parametrize("stack", ["data", "identity", "service", "monitoring"])
def test_stacks_are_named_after_their_environment(each: Synthesized, environment: str, stack: str) -> None:
    assert f"mfa-{environment}-{stack}" in {found.properties["stackName"] for found in each.stacks.values()}
