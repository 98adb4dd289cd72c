"""The deployed version is visible, and a new version replaces nothing."""

import json

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from infra.outputs import Output, StackId
from infra.paths import REPOSITORY
from infra.project import VERSION
from tests.infra.stateful import fixed_properties
from tests.infra.synthesis import Stack, Synthesized


def test_every_stack_has_the_version_as_a_tag(everything: Synthesized) -> None:
    for name, stack in everything.stacks_by_name.items():
        assert stack.properties["tags"] == {"version": VERSION}, name


def test_the_version_is_an_output(service: Stack) -> None:
    assert service.outputs[Output.VERSION] == VERSION


def test_every_log_line_has_the_version(everything: Synthesized) -> None:
    for folder in everything.stage.service.functions:
        assert everything.service.variables(folder)["SERVICE_VERSION"] == VERSION
    access_log = everything.service.only("AWS::ApiGateway::Stage")["Properties"]["AccessLogSetting"]["Format"]
    assert json.loads(access_log)["version"] == VERSION


def test_the_dashboard_shows_the_version(everything: Synthesized) -> None:
    dashboards = everything.stacks[StackId.MONITORING].properties_of("AWS::CloudWatch::Dashboard")

    assert sum(f"# MFA service · prod · {VERSION}" in each["DashboardBody"] for each in dashboards) == 1


def test_a_new_version_replaces_no_resource(everything: Synthesized) -> None:
    """CloudFormation gives the tags of a stack to its resources."""
    kinds = {
        resource["Type"]
        for stack in everything.stacks_by_name.values()
        for resource in stack.template["Resources"].values()
    }
    assert kinds >= {"AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::Lambda::Function"}

    for kind in kinds:
        tagging = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema.get("tagging")
        if isinstance(tagging, dict) and tagging.get("taggable"):
            assert tagging["tagUpdatable"] is True, kind
            assert tagging["tagProperty"].split("/")[2] not in fixed_properties(kind), kind


def test_the_changelog_has_the_version() -> None:
    """A release moves the entries of Unreleased under its version."""
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()

    assert f"\n## {VERSION} - " in changelog
