"""A defence that nobody would miss is none: each is taken away in a copy of the project, and named tests must fail."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.paths import REPOSITORY
from tests.attack.defences import DEFENCES, Defence
from tests.support.source_copy import SourceCopy
from tests.support.test_ids import collected_tests

#: How a test fails that did not get as far as to see anything: the code was broken, not the defence.
_OUTSIDE = "error outside of the test"
_BROKEN_CODE = (_OUTSIDE, "ImportError", "ModuleNotFoundError", "NameError", "SyntaxError", "IndentationError")
#: How `tests.support.leak_watch` fails a test.
_LEAK = "must stay secret"


@dataclass(frozen=True)
class Outcome:
    """What became of the tests of one run: the ids that passed, and the first word of how the others failed."""

    passed: frozenset[str]
    failed: dict[str, str]
    output: str


class NamedTests:
    """The named tests, run in a copy of the sources."""

    def __init__(self, copy: SourceCopy) -> None:
        self._copy = copy

    def run(self, tests: tuple[str, ...]) -> Outcome:
        """Run tests."""
        report = self._copy.root / "report.xml"
        finished = self._copy.pytest("--junitxml", str(report), "-o", "junit_family=xunit1", *tests)
        assert report.exists(), finished.output
        outcome = _outcome(report, finished.output)
        report.unlink()
        return outcome

    def without(self, defence: Defence) -> Outcome:
        """Run a defence's tests without it."""
        with self._copy.changed(defence.file, defence.text, defence.instead):
            return self.run(defence.noticed_by)


def _outcome(report: Path, output: str) -> Outcome:
    passed, failed = set(), {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 (written by pytest a moment ago)
        inner = case.attrib["classname"].removeprefix(case.attrib["file"].removesuffix(".py").replace("/", "."))
        name = "::".join([case.attrib["file"], *filter(None, inner.split(".")), case.attrib["name"]])
        for bad in case.findall("failure"):
            failed[name] = bad.attrib["message"].split(maxsplit=1)[0].rstrip(":")
        for bad in case.findall("error"):
            failed.setdefault(name, _LEAK if _LEAK in (bad.text or "") else _OUTSIDE)
        if case.find("skipped") is None:
            passed.add(name)
    return Outcome(frozenset(passed - failed.keys()), failed, output)


def of(test: str, names: object) -> list[str]:
    """Return those of some ids that a test's id stands for: itself, or all of its parameters."""
    assert isinstance(names, frozenset | dict)
    return [name for name in names if name == test or name.startswith(f"{test}[")]


def test_there_are_many_and_each_is_told_once() -> None:
    assert len(DEFENCES) >= 30
    assert len({defence.name for defence in DEFENCES}) == len(DEFENCES)


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.name)
def test_what_would_be_taken_away_is_there(defence: Defence) -> None:
    assert (REPOSITORY / defence.file).read_text().count(defence.text) == 1
    assert defence.noticed_by


def test_every_test_that_is_to_notice_is_collected() -> None:
    named = {test for defence in DEFENCES for test in defence.noticed_by}
    there = collected_tests(sorted({test.partition("::")[0] for test in named}))
    assert [test for test in sorted(named) if not of(test, there)] == []


@pytest.mark.attack
def test_without_a_defence_its_tests_fail_and_with_it_they_pass(
    tmp_path: Path, report: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    tests = tuple(sorted({test for defence in DEFENCES for test in defence.noticed_by}))
    rows, unnoticed = [], []
    with SourceCopy(tmp_path) as copy:
        named = NamedTests(copy)
        whole = named.run(tests)
        assert whole.failed == {}, whole.output
        assert [test for test in tests if not of(test, whole.passed)] == []
        for number, defence in enumerate(DEFENCES, 1):
            outcome = named.without(defence)
            noticed = [name for test in defence.noticed_by for name in of(test, outcome.failed)]
            missed = [test for test in defence.noticed_by if not of(test, outcome.failed)]
            broken = {name: outcome.failed[name] for name in noticed if outcome.failed[name] in _BROKEN_CODE}
            if missed or broken:
                unnoticed.append(f"{defence.name}: {missed} {broken}\n{outcome.output}")
            rows.append(f"| {defence.name} | `{defence.file}` | {len(noticed)} |")
            say(f"{number} of {len(DEFENCES)}: {defence.name}: {len(noticed)} tests fail without it")
    intro = (
        f"Each of {len(DEFENCES)} defences was taken out of a copy of the sources, and the tests that are named for it "
        "in [Security](security.md#defences) were run. With the defence all of them pass; "
        "without it this many fail, by what they see and not by code that does not load."
    )
    table = ["| Taken away | In | Tests that fail |", "|---|---|---|", *rows]
    report("Defences, removed one by one", "\n".join([intro, "", *table]))
    assert unnoticed == [], "\n".join(unnoticed)
