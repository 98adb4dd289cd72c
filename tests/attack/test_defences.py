"""Every defence has tests that fail when it is removed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from infra.paths import REPOSITORY
from tests.attack.defences import DEFENCES, PAGE, text

#: Errors of a test that did not get far enough to miss the defence.
BROKEN = ("AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "TypeError")


def run(*arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_the_table_in_the_documentation_is_current() -> None:
    assert PAGE.read_text() == text(PAGE.read_text()), "run python -m tests.attack.defences"


def test_every_defence_can_be_removed() -> None:
    run("-c", "from tests.attack.defences import DEFENCES\nfor each in DEFENCES: each.remove()")


@pytest.mark.attack
def test_tests_fail_without_their_defence(report: Callable[[str, str], None], say: Callable[[str], None]) -> None:
    count = 0
    for number, defence in enumerate(DEFENCES):
        output = run("-m", "tests.attack.without_defence", str(number), *defence.tests)
        failures = json.loads(output.rstrip().rpartition("\n")[2])
        failed = {name for name, phase, last_line in failures if phase != "setup" and not last_line.endswith(BROKEN)}
        for test in defence.tests:
            assert any(name == test or name.startswith(f"{test}[") for name in failed), f"{defence.name}: {output}"
        count += len(failed)
        say(f"{number + 1} of {len(DEFENCES)}: {len(failed)} tests fail")
    report(
        "Defences, removed one by one",
        f"Each of the {len(DEFENCES)} [defences](security.md#defences) was removed in a separate process. Its tests "
        f"then failed: {count} in all.",
    )
