"""The page has the committed results in its marked blocks."""

from pathlib import Path
from typing import Any, Literal

import pytest

from infra.config import DEV, ENVIRONMENTS, MonitoringConfig
from tests.infra.synthesis import synthesize
from tools.bench import monthly
from tools.bench.results import Results
from tools.bench.tables import PAGE, table, with_costs, with_results
from tools.bench.targets import MAX_MONTH_AT_REST

TEXT = PAGE.read_text()


def test_the_page_has_the_committed_results() -> None:
    assert with_results(TEXT, Results.load()) == TEXT


def test_the_deployment_guide_has_the_bill_that_follows_from_them() -> None:
    page = monthly.PAGE.read_text()

    assert with_costs(page, Results.load()) == page


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


def test_an_idle_dev_stays_within_its_budget() -> None:
    assert sum(item.dollars for item in monthly.at_rest(ENVIRONMENTS[DEV].monitoring)) <= MAX_MONTH_AT_REST


def test_saved_results_can_be_loaded(tmp_path: Path) -> None:
    results = Results.load()

    results.save(tmp_path / "results.json")

    assert Results.load(tmp_path / "results.json") == results


def test_a_table_has_a_header_a_rule_and_its_rows() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
