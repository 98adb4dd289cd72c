"""Synthesized monitoring stacks, with every reference resolved."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.outputs import StackId, dashboard_name
from tests.infra.synthesis import Stack, synthesize

ACCOUNT = "111122223333"
REGION = "eu-central-1"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/7e1c9a6e-0000-4000-8000-000000000001"
PROOF_KEY_ARNS = tuple(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/7e1c9a6e-0000-4000-8000-00000000000{n}" for n in (2, 3))


@dataclass(frozen=True)
class Monitoring:
    """The monitoring of one environment, whose table and keys exist, so that their names are known."""

    environment: str
    stack: Stack

    @classmethod
    def synthesize(cls, environment: str, *, proof_audience: str | None = None, **monitoring: str) -> "Monitoring":
        table = f"mfa-{environment}-users"
        synthesized = synthesize(
            environment,
            account=ACCOUNT,
            region=REGION,
            users_table_name=table,
            users_table_stream_arn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000",
            secret_key_arn=KEY_ARN,
            proof_keys=",".join(PROOF_KEY_ARNS),
            **({"proof_audience": proof_audience} if proof_audience else {}),
            **{f"monitoring.{name}": value for name, value in monitoring.items()},
        )
        return cls(environment, synthesized.stacks[StackId.MONITORING])

    @cached_property
    def alarms(self) -> dict[str, dict[str, Any]]:
        """Properties of the metric alarms, by the key of their rule."""
        prefix = f"mfa-{self.environment}-"
        found = self.stack.properties_of("AWS::CloudWatch::Alarm")
        return {alarm["AlarmName"].removeprefix(prefix): alarm for alarm in found}

    @cached_property
    def composite(self) -> dict[str, Any]:
        return dict(self.stack.only("AWS::CloudWatch::CompositeAlarm")["Properties"])

    @cached_property
    def paging(self) -> set[str]:
        """The keys of the alarms that the composite alarm watches."""
        prefix = f"<AWS::CloudWatch::Alarm mfa-{self.environment}-"
        return {each.split(" Arn>")[0] for each in self.composite["AlarmRule"].split(prefix)[1:]}

    @cached_property
    def dashboards(self) -> dict[str, dict[str, Any]]:
        """Bodies of the dashboards, by name."""
        found = self.stack.properties_of("AWS::CloudWatch::Dashboard")
        return {each["DashboardName"]: json.loads(each["DashboardBody"]) for each in found}

    @property
    def overview(self) -> dict[str, Any]:
        return self.dashboards[dashboard_name(self.environment, REGION)]
