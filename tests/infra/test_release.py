"""Releases in prod: traffic shifts gradually, and a failing function or API rolls the release back."""

import re
from typing import Any

import pytest

from functions.shared import contract
from local.cloudwatch.alarm_state import AlarmState, alarm_state
from tests.infra.deployments import OTHERWISE, deployment
from tests.infra.synthesis import Stack, Synthesized, synthesize
from tests.support.metric_store import MetricStore

ALARM = "AWS::CloudWatch::Alarm"
GROUP = "AWS::CodeDeploy::DeploymentGroup"
NOW = 600.0


@pytest.fixture
def service(prod: Synthesized) -> Stack:
    return prod.service


def alarms(service: Stack) -> dict[str, dict[str, Any]]:
    return {each["AlarmName"]: each for each in service.properties_of(ALARM)}


def groups(service: Stack) -> dict[str, dict[str, Any]]:
    """Return each deployment group as the template has it, by its name."""
    return {each["DeploymentGroupName"]: each for each in service.unresolved(GROUP)}


def state(alarm: dict[str, Any], **published: float) -> AlarmState:
    """Return an alarm's state after a minute in which a metric had a value."""
    metrics = MetricStore()
    for name, value in published.items():
        namespace = "AWS/Lambda" if name == "Errors" else "AWS/ApiGateway"
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        metrics.put(namespace, name, dimensions, value, at=NOW - 30)
    return alarm_state(alarm, metrics, now=NOW)


def test_every_alias_is_moved_by_code_deploy(service: Stack, prod: Synthesized) -> None:
    resources = service.template["Resources"]
    aliases = [each for each in resources.values() if each["Type"] == "AWS::Lambda::Alias"]
    moved = {
        resources[alias["Properties"]["FunctionName"]["Ref"]]["Properties"]["FunctionName"]: resources[
            alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"]
        ]["Properties"]["DeploymentGroupName"]
        for alias in aliases
    }

    assert moved == {
        name: name for name in (f"{folder.replace('_', '-')}-prod" for folder in prod.stage.service.functions)
    }


@pytest.mark.parametrize(
    ("setting", "shift"),
    [
        ("canary-10-percent-5-minutes", "Canary10Percent5Minutes"),  # the default of prod
        ("canary-10-percent-30-minutes", "Canary10Percent30Minutes"),
        ("linear-10-percent-every-1-minute", "Linear10PercentEvery1Minute"),
        ("linear-10-percent-every-10-minutes", "Linear10PercentEvery10Minutes"),
    ],
)
def test_the_traffic_shift_is_a_setting(setting: str, shift: str) -> None:
    found = groups(synthesize("prod", traffic_shift=setting).service).values()

    assert {each["DeploymentConfigName"] for each in found} == {f"CodeDeployDefault.Lambda{shift}"}


def test_a_release_rolls_back_when_its_function_or_the_api_fails(service: Stack) -> None:
    for name, group in groups(service).items():
        watched = {service.template["Resources"][each["Name"]["Ref"]]["Properties"]["AlarmName"]
                   for each in group["AlarmConfiguration"]["Alarms"]}  # fmt: skip
        assert watched == {f"mfa-prod-release-{name.removesuffix('-prod')}", "mfa-prod-release-api"}
        assert group["AlarmConfiguration"]["Enabled"] is True
        assert group["AutoRollbackConfiguration"] == {
            "Enabled": True,
            "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM"],
        }


@pytest.mark.parametrize("endpoint", contract.ENDPOINTS, ids=lambda endpoint: endpoint.function)
def test_one_crash_rolls_a_release_back(service: Stack, endpoint: contract.Endpoint) -> None:
    name = endpoint.function.replace("_", "-")
    alarm = alarms(service)[f"mfa-prod-release-{name}"]

    assert alarm["Dimensions"] == [
        {"Name": "FunctionName", "Value": f"{name}-prod"},
        {"Name": "Resource", "Value": f"{name}-prod:live"},
    ]
    assert alarm["Namespace"] == "AWS/Lambda"
    assert state(alarm, Errors=1) is AlarmState.ALARM
    assert state(alarm, Errors=0) is AlarmState.OK
    assert state(alarm) is AlarmState.OK  # no invocation


def test_only_many_5xx_roll_a_release_back(service: Stack) -> None:
    alarm = alarms(service)["mfa-prod-release-api"]
    api = service.only("AWS::ApiGateway::RestApi")["Properties"]["Name"]
    values = {"5XXError": 4.0}

    assert alarm["Dimensions"] == [{"Name": "ApiName", "Value": api}, {"Name": "Stage", "Value": "v1"}]
    assert alarm["Namespace"] == "AWS/ApiGateway"
    assert state(alarm, **values) is AlarmState.OK
    assert state(alarm, **{"5XXError": 5.0}) is AlarmState.ALARM


def test_the_alarms_of_a_release_say_what_to_do_and_link_the_runbook(service: Stack) -> None:
    for alarm in alarms(service).values():
        assert re.fullmatch(
            r"What happened: .+\. What to do: .+\. Runbook: .*docs/runbook\.md#release", alarm["AlarmDescription"]
        )


@pytest.mark.parametrize("name", ["dev", "local", OTHERWISE])
def test_without_a_traffic_shift_a_version_takes_over_at_once(name: str) -> None:
    resources = deployment(name).service.template["Resources"].values()

    assert not [each for each in resources if "CodeDeploy" in each["Type"] or "UpdatePolicy" in each]
