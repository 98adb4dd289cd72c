"""The app, run as the CDK command line runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.paths import REPOSITORY


def run_app(output: Path, **context: str) -> subprocess.CompletedProcess[str]:
    """Run the app of ``cdk.json`` with the project's own Python and Node, without credentials."""
    flags = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=REPOSITORY,
        env={
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "HOME": str(Path.home()),
            "CDK_OUTDIR": str(output / "cdk.out"),
            "CDK_CONTEXT_JSON": json.dumps(flags | context),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("context", "line"),
    [
        ({"environment": "staging"}, "error: environment: expected one of dev, prod, local, got 'staging'\n"),
        (
            {"config": "no.toml"},
            "error: config: expected a file that can be read, got 'no.toml': No such file or directory\n",
        ),
        ({"memory": "512"}, "error: memory: no such setting, did you mean memory_mb?\n"),
    ],
)
def test_a_wrong_setting_is_reported_in_one_line(tmp_path: Path, context: dict[str, str], line: str) -> None:
    finished = run_app(tmp_path, **context)

    assert (finished.returncode, finished.stderr) == (1, line)


def test_cdk_uses_the_projects_python() -> None:
    assert json.loads((REPOSITORY / "cdk.json").read_text())["app"] == ".venv/bin/python app.py"
