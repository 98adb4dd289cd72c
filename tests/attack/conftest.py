"""Attacks on the whole system: a quick part among all tests, a long one by ``make attack``.

A test marked ``attack`` is long and runs with ``--attack`` alone. Tests tell what they saw through the fixture
`report`; ``--attack-report FILE`` writes it all down as a page.
"""

import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.stack import Aws

_FOLDER = Path(__file__).parent
_SECTION = "security report section"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long attacks, and their report."""
    group = parser.getgroup("attack")
    group.addoption("--attack", action="store_true", help="run the long attacks too")
    group.addoption("--attack-report", type=Path, metavar="FILE", help="write what the attacks saw to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Collect the report where the tests are told to run, which is not where each of them runs."""
    path: Path | None = config.getoption("--attack-report", None)
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Report(path))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long attacks out unless they are asked for."""
    if config.getoption("--attack", default=False):
        return
    deselected = [item for item in items if item.path.is_relative_to(_FOLDER) and item.get_closest_marker("attack")]
    items[:] = [item for item in items if item not in deselected]
    config.hook.pytest_deselected(items=deselected)


@pytest.fixture(scope="session")
def aws(stack_aws: Aws) -> Aws:
    """Return the embedded AWS of the stack under test."""
    return stack_aws


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Return a function that adds a section to the report: its title, and its text in Markdown."""

    def add(title: str, markdown: str) -> None:
        record_property(_SECTION, [title, markdown])

    return add


@pytest.fixture
def say(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that tells a person at the terminal how far a long attack has come."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    began = time.monotonic()

    def tell(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"  {time.monotonic() - began:4.0f} s  {request.node.name}: {text}", file=sys.stderr, flush=True)

    return tell


class _Report:
    """Gathers the sections of all tests, and writes them in the order of the files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.monotonic()
        self._sections: dict[str, list[tuple[str, str]]] = {}
        self._outcomes: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test has told."""
        if report.when == "call" or not report.passed:
            self._outcomes[report.outcome] = self._outcomes.get(report.outcome, 0) + 1
        if report.when == "teardown":
            return
        for name, value in report.user_properties:
            if name == _SECTION:
                assert isinstance(value, list)
                title, markdown = value
                self._sections.setdefault(report.nodeid, []).append((title, markdown))

    def pytest_sessionfinish(self) -> None:
        """Write the page."""
        minutes = (time.monotonic() - self._began) / 60
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in sorted(self._outcomes.items()))
        where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        lines = [
            "# Security report",
            "",
            "What the attacks of `make attack` saw when they ran last. The defences: [Security](security.md).",
            "",
            f"{outcomes} in {minutes:.0f} minutes against the embedded AWS ({where}). Times are of one noisy machine.",
        ]
        for _, sections in sorted(self._sections.items()):
            for title, markdown in sections:
                lines += ["", f"## {title}", "", markdown.strip()]
        self._path.write_text("\n".join(lines) + "\n")
