"""cdk-nag and cfn-lint find nothing in any environment, and do find planted mistakes."""

from functools import cache

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.infra.deployments import DEPLOYMENTS, deployment
from tests.infra.synthesis import Synthesized, new_app


def nag_findings(app: App) -> list[str]:
    report = AwsSolutionsChecks().validate_scope(app)
    return [
        f"{violation.rule_name} on {resource.resource_logical_id}"
        for violation in report.violations
        for resource in violation.violating_resources
    ]


@cache
def lint_findings(template: str) -> list[str]:
    """Return cfn-lint's findings in a template. Several deployments have the same user pool."""
    # W3005: CDK makes a function depend on its role's policy and on the role. The role is redundant, and harmless.
    return [str(finding) for finding in lint(template, config=ManualArgs(ignore_checks=["W3005"]))]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_cdk_nag_finds_nothing(name: str) -> None:
    assert nag_findings(deployment(name).app) == []


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_cfn_lint_finds_nothing(name: str) -> None:
    templates = deployment(name).templates

    assert [finding for template in templates for finding in lint_findings(template.read_text())] == []


def test_cdk_nag_finds_a_wildcard() -> None:
    app = new_app()
    role = iam.Role(Stack(app, "Planted"), "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:*"], resources=["*"]))

    assert any("AwsSolutions-IAM5" in finding for finding in nag_findings(app))


def test_cfn_lint_finds_a_wrong_type(dev: Synthesized) -> None:
    (original,) = (path for path in dev.templates if "identity" in path.name)
    broken = original.read_text().replace('"MinimumLength": 12', '"MinimumLength": "long"')

    assert any("'long' is not of type 'integer'" in finding for finding in lint_findings(broken))
