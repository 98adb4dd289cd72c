"""Each static check of the gate runs and finds a planted fault. For cdk-nag and cfn-lint: tests/infra/test_rules.py."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.paths import REPOSITORY
from tests.infra.pipelines.test_workflows import BIN

CHECK = (REPOSITORY / "Makefile").read_text().partition("\ncheck: ")[2].partition("\n\n")[0].splitlines()
BASELINE = REPOSITORY / ".ci" / "secrets.baseline"

NOISE = hashlib.sha512(b"as random as a secret").digest()
# The parts are joined here, so that this file contains no secret.
BASE64 = base64.b64encode(NOISE[:30]).decode()
TOKEN = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"RS256"}', b"{}", NOISE))
SECRETS = {
    "deploy.sh": "export AWS_ACCESS_KEY_ID=AKIA" + base64.b32encode(NOISE[:10]).decode(),
    "settings.toml": f'aws_secret_access_key = "{BASE64}"',
    "docs/notes.md": "-----BEGIN EC " + "PRIVATE KEY-----",
    "tests/events/setup.json": f'{{"Authorization": "Bearer {TOKEN}"}}',
    "requirements.txt": "--index-url https://user:" + "hunter22@packages.example.com/simple",
    "functions/setup_mfa/service.py": f'KEY = "{NOISE.hex()}"',
    "app.py": f'PASSWORD = "{BASE64}"  # pragma: allowlist ' + "secret",
    "tests/infra/snapshots/dev/mfa-dev-data.json": f'"Password": "{BASE64}"',
    "package-lock.json": '"resolved": "https://user:' + 'hunter22@packages.example.com/a.tgz"',
}
HARMLESS = {
    "hashes.txt": f"boto3==1.0 \\\n    --hash=sha256:{hashlib.sha256(b'a wheel').hexdigest()} \\",
    "build/ignored.txt": SECRETS["docs/notes.md"],
    ".gitignore": "build/\n.venv",
}


@pytest.mark.parametrize(
    "command", ["$(BIN)/ruff format --check .", "$(BIN)/ruff check .", "$(BIN)/mypy", "scripts/find_secrets.sh"]
)
def test_make_check_runs_it(command: str) -> None:
    assert f"\t@{command}" in CHECK


def test_planted_secrets_are_found(tmp_path: Path) -> None:
    for file, text in (SECRETS | HARMLESS).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text + "\n")
    for file in (".ci/secrets.baseline", "scripts/find_secrets.sh"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / file, tmp_path / file)
    (tmp_path / ".venv").symlink_to(BIN.parent)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)  # noqa: S607 -- whichever git is installed

    finished = subprocess.run([tmp_path / "scripts" / "find_secrets.sh"], capture_output=True, text=True, check=False)

    found = {line.split()[-1].rpartition(":")[0] for line in finished.stdout.splitlines() if "Location:" in line}
    assert (found, finished.returncode) == (set(SECRETS), 1), finished.stderr


def test_the_baseline_of_the_secret_scan_is_audited_and_current() -> None:
    for file, findings in json.loads(BASELINE.read_text())["results"].items():
        assert (REPOSITORY / file).is_file(), file
        assert all(finding["is_secret"] is False for finding in findings), file


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
    options = ("--no-cache", "--output-format=concise", "--stdin-filename=functions/new.py")
    finished = subprocess.run(
        [BIN / "ruff", "check", *options, "-"],
        cwd=REPOSITORY,
        input=code + "\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 1
    assert f" {rule} " in finished.stdout
