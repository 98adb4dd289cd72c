"""Which tests there are, for pages and lists that name some."""

import os
import subprocess
import sys
from collections.abc import Sequence

from infra.paths import REPOSITORY


def collected_tests(files: Sequence[str]) -> frozenset[str]:
    """Return the ids of the tests in some files, those of the long attacks too.

    Parameters
    ----------
    files : sequence of str
        Paths from the root of the project.
    """
    options = ["--collect-only", "--quiet", "-p", "no:cacheprovider"]
    if any(file.startswith("tests/attack/") for file in files):  # the option is that folder's own
        options.append("--attack")
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return frozenset(line for line in finished.stdout.splitlines() if "::" in line)
