"""Each static check of the gate runs, and finds what is planted; cdk-nag and cfn-lint: tests/infra/test_rules.py."""

import subprocess

import pytest

from infra.paths import REPOSITORY
from tests.infra.pipelines.test_workflows import BIN

CHECK = (REPOSITORY / "Makefile").read_text().partition("\ncheck: ")[2].partition("\n\n")[0]


@pytest.mark.parametrize("command", ["ruff format --check .", "ruff check .", "mypy", "python -m tests.secret_scan"])
def test_make_check_runs_it(command: str) -> None:
    assert f"\t@$(BIN)/{command}" in CHECK.splitlines()


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("S102", 'exec("print(1)")'),
        ("S113", 'import requests\n\nrequests.get("https://issuer.example/jwks")'),
        ("S301", 'import pickle\n\npickle.loads(b"")'),
        ("S311", "import random\n\ncode = random.randint(0, 999999)"),
        ("S324", 'import hashlib\n\nhashlib.md5(b"ABCD-1234")'),
        ("S501", 'import requests\n\nrequests.get("https://issuer.example/jwks", timeout=1, verify=False)'),
        ("S602", 'import subprocess\n\nsubprocess.run("id", shell=True)'),
    ],
)
def test_ruffs_rules_of_security_are_on(rule: str, code: str) -> None:
    finished = subprocess.run(
        [
            BIN / "ruff",
            "check",
            "--no-cache",
            "--output-format",
            "concise",
            "--stdin-filename",
            "functions/new.py",
            "-",
        ],
        cwd=REPOSITORY,
        input=code + "\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 1
    assert f" {rule} " in finished.stdout
