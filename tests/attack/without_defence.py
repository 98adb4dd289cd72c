"""``python -m tests.attack.without_defence NUMBER TEST...``: run tests without one defence.

The last line of the output is a JSON list of the failures, each with its test's id, its phase and its last line.
"""

import json
import sys

import pytest

from tests.attack.defences import DEFENCES


class _Failures:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.seen.append((report.nodeid, str(report.when), report.longreprtext.strip().rpartition("\n")[2]))


def main(number: int, tests: list[str]) -> None:
    """Remove a defence, run tests, and print how they failed."""
    DEFENCES[number].remove()
    failures = _Failures()
    pytest.main(["--quiet", "-p", "no:cacheprovider", *tests], plugins=[failures])
    print(f"\n{json.dumps(failures.seen)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
