"""A pytest plugin for long attacks: options, a report, and progress messages.

Tests marked ``attack`` take minutes and run only with ``--attack``. Tests add sections to a report through the fixture
`report`; ``--attack-report FILE`` writes it.
"""

import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_SECTION = "security report section"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("attack")
    group.addoption("--attack", action="store_true", help="run the long attacks too")
    group.addoption("--attack-report", type=Path, metavar="FILE", help="write the report of the attacks to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Collect the report in the main process; parallel tests run in workers."""
    path: Path | None = config.getoption("--attack-report")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Report(path))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long attacks unless ``--attack`` is given."""
    if config.getoption("--attack"):
        return
    deselected = [item for item in items if item.get_closest_marker("attack")]
    items[:] = [item for item in items if item not in deselected]
    config.hook.pytest_deselected(items=deselected)


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Return a function that adds a section to the report: its title, and its text in Markdown."""

    def add(title: str, markdown: str) -> None:
        record_property(_SECTION, [title, markdown])

    return add


@pytest.fixture
def say(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that prints the progress of a long attack to the terminal."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    began = time.monotonic()

    def print_progress(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"  {time.monotonic() - began:4.0f} s  {request.node.name}: {text}", file=sys.stderr, flush=True)

    return print_progress


class _Report:
    """Collects the sections of all tests, and writes them in the order of the test files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.monotonic()
        self._sections: dict[str, list[tuple[str, str]]] = {}
        self._outcomes: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the outcome and the sections of one test."""
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
        """Write the report."""
        minutes = (time.monotonic() - self._began) / 60
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in sorted(self._outcomes.items()))
        where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        lines = [
            "# Security report",
            "",
            "Results of the last `make attack`. What is defended, and how: [Security](security.md).",
            "",
            f"{outcomes} in {minutes:.0f} minutes, against the emulated AWS ({where}). Times vary from run to run.",
        ]
        for _, sections in sorted(self._sections.items()):
            for title, markdown in sections:
                lines += ["", f"## {title}", "", markdown.strip()]
        self._path.write_text("\n".join(lines) + "\n")
