"""Runs code in a fresh interpreter that sees only one package and the standard library, as on Lambda."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def run_in(package: Path, code: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the output of the code; an exception in it fails the test."""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path.insert(0, {str(package)!r})\n{code}"],
        env={
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
