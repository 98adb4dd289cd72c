"""The documentation has the committed results in its marked blocks."""

from pathlib import Path

from tools.bench.results import Results
from tools.bench.tables import pages, table
from tools.bench.targets import outcomes


def test_the_pages_have_the_committed_results_and_the_bills_that_follow_from_them() -> None:
    for page, text in pages(Results.load()).items():
        assert page.read_text() == text


def test_an_idle_dev_stays_within_its_budget() -> None:
    (outcome,) = (each for each in outcomes(Results.load()) if each.name == "a month of dev at rest")

    assert outcome.met


def test_saved_results_can_be_loaded(tmp_path: Path) -> None:
    results = Results.load()

    results.save(tmp_path / "results.json")

    assert Results.load(tmp_path / "results.json") == results


def test_a_table_has_a_header_a_rule_and_its_rows() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
