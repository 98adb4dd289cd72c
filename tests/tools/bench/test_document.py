"""The page has the committed results in its marked blocks."""

from pathlib import Path

from infra.config import DEV, ENVIRONMENTS
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


def test_an_idle_dev_stays_within_its_budget() -> None:
    assert sum(item.dollars for item in monthly.at_rest(ENVIRONMENTS[DEV].monitoring)) <= MAX_MONTH_AT_REST


def test_saved_results_can_be_loaded(tmp_path: Path) -> None:
    results = Results.load()

    results.save(tmp_path / "results.json")

    assert Results.load(tmp_path / "results.json") == results


def test_a_table_has_a_header_a_rule_and_its_rows() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
