"""The document holds the figures of a run: every block in its place, words around them untouched."""

import json
import re
from pathlib import Path

import pytest

from tools.bench import document
from tools.bench.results import FILE
from tools.bench.tables import BLOCKS, table

TEXT = document.FILE.read_text()


def test_every_block_of_figures_has_its_place() -> None:
    assert re.findall(r"<!-- measured: (\w+) -->", TEXT) == [
        *("machine", "targets", "setup", "functions", "endpoint", "bills", "memory", "throughput")
    ]
    assert len(BLOCKS) == TEXT.count("<!-- end -->")


def test_figures_replace_what_was_between_the_marks_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "BLOCKS", {"machine": lambda _: "new"})
    text = "before\n<!-- measured: machine -->\nold\nolder\n<!-- end -->\nafter\n"

    replaced = document.with_figures(text, None)  # type: ignore[arg-type]

    assert replaced == "before\n<!-- measured: machine -->\nnew\n<!-- end -->\nafter\n"
    with pytest.raises(ValueError, match="unknown"):
        document.with_figures(text.replace("machine", "unknown"), None)  # type: ignore[arg-type]


def test_the_document_is_of_the_committed_run() -> None:
    machine = json.loads(FILE.read_text())["machine"]

    assert f"Measured {machine['measured_at']} at commit `{machine['commit']}`" in TEXT


def test_every_picture_and_link_of_the_document_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (Path(document.FILE).parent / target).resolve().exists(), target


def test_a_table_has_a_header_a_rule_and_its_rows() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
