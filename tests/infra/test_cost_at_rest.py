"""The computed bill of an environment without traffic, compared with its templates."""

from typing import Any, Literal

import pytest

from infra.config import MonitoringConfig
from tests.infra.synthesis import synthesize
from tools.bench import monthly


@pytest.mark.parametrize("coverage", ["setup", "all"])
def test_the_bill_of_an_idle_dev_counts_what_is_deployed(coverage: Literal["setup", "all"]) -> None:
    stacks = synthesize("dev", **{"monitoring.coverage": coverage}).stacks.values()

    def deployed(kind: str) -> list[dict[str, Any]]:
        return [each for stack in stacks for each in stack.properties_of(f"AWS::{kind}")]

    read = [
        query
        for alarm in deployed("CloudWatch::Alarm")
        for query in alarm.get("Metrics", [{"MetricStat": None}])
        if "MetricStat" in query
    ]
    charged = ("KMS::Key", "CloudWatch::CompositeAlarm", "CloudWatch::Dashboard")
    keys, composite, dashboards = (len(deployed(kind)) for kind in charged)
    items = monthly.at_rest(MonitoringConfig(coverage=coverage))

    assert [int(each.used) for each in items] == [keys, len(read), composite, dashboards]
