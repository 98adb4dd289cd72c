"""Synthesized monitoring stacks, as plain data with every intrinsic function resolved."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from functions.shared import contract
from infra.config.monitoring import MonitoringConfig
from infra.monitoring.resources import WatchedFunction, WatchedResources
from infra.paths import REPOSITORY
from infra.stacks.monitoring import MonitoringStack

ACCOUNT = "111122223333"
REGION = "eu-central-1"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/7e1c9a6e-0000-4000-8000-000000000001"


def resources(environment: str) -> WatchedResources:
    folders = [endpoint.function for endpoint in contract.ENDPOINTS]
    folders += [contract.AUTHORIZER_FUNCTION, contract.SECURITY_EVENTS_FUNCTION]
    return WatchedResources(
        api_name=f"mfa-{environment}",
        access_log_name=f"/aws/apigateway/mfa-{environment}",
        functions=tuple(WatchedFunction(folder=folder, timeout_seconds=20) for folder in folders),
        table_name=f"mfa-{environment}-users",
        secret_key_arn=KEY_ARN,
        dead_letter_queue_name=f"mfa-{environment}-security-events-dead-letters",
    )


@dataclass(frozen=True)
class Monitoring:
    """One synthesized stack."""

    environment: str
    stack: MonitoringStack
    template: dict[str, Any]

    @classmethod
    def synthesize(cls, environment: str, config: MonitoringConfig) -> "Monitoring":
        app = App(context=json.loads((REPOSITORY / "cdk.json").read_text())["context"])
        stack = MonitoringStack(
            app,
            "monitoring",
            environment=environment,
            config=config,
            resources=resources(environment),
            stack_name=f"mfa-{environment}-monitoring",
            env=Environment(account=ACCOUNT, region=REGION),
        )
        return cls(environment, stack, dict(Template.from_stack(stack).to_json()))

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resolved properties of every resource of a type, by logical id."""
        return {
            name: self._resolve(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    @cached_property
    def alarms(self) -> dict[str, dict[str, Any]]:
        """Properties of the metric alarms, by the key of their rule."""
        prefix = f"mfa-{self.environment}-"
        found = self.of_type("AWS::CloudWatch::Alarm").values()
        return {alarm["AlarmName"].removeprefix(prefix): alarm for alarm in found}

    @cached_property
    def composite(self) -> dict[str, Any]:
        (found,) = self.of_type("AWS::CloudWatch::CompositeAlarm").values()
        return found

    @cached_property
    def dashboards(self) -> dict[str, dict[str, Any]]:
        """Bodies of the dashboards, by name."""
        found = self.of_type("AWS::CloudWatch::Dashboard").values()
        return {each["DashboardName"]: json.loads(each["DashboardBody"]) for each in found}

    @property
    def overview(self) -> dict[str, Any]:
        return self.dashboards[f"mfa-{self.environment}"]

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return separator.join(self._resolve(part) for part in parts)
        if "Fn::GetAtt" in value:
            name, attribute = value["Fn::GetAtt"]
            return f"{attribute}:{self._physical_name(name)}"
        if "Ref" in value:
            return self._physical_name(value["Ref"])
        return {key: self._resolve(each) for key, each in value.items()}

    def _physical_name(self, logical: str) -> str:
        if logical == "AWS::Region":
            return REGION
        properties = self.template["Resources"][logical].get("Properties", {})
        return next((properties[key] for key in ("AlarmName", "TopicName") if key in properties), logical)
