"""The app, run as the CDK command line runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


def test_a_wrong_setting_is_reported_in_one_line(tmp_path: Path) -> None:
    """``tests/infra/config`` has the messages."""
    finished = run_app(tmp_path, memory="512")

    assert (finished.returncode, finished.stderr) == (1, "error: memory: no such setting, did you mean memory_mb?\n")


def test_cdk_uses_the_projects_python() -> None:
    assert json.loads((REPOSITORY / "cdk.json").read_text())["app"] == ".venv/bin/python app.py"
