"""The scan finds what must never be committed, wherever it is, and lets through what is explained and nothing else."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.secret_scan.__main__ import unexplained, unused
from tests.secret_scan.allowed import ALLOWED
from tests.secret_scan.scan import Finding, files_of, findings

_NOISE = hashlib.sha512(b"as random as a secret").digest()
# Put together here, so that this file holds none.
_BASE64 = base64.b64encode(_NOISE[:30]).decode()
_KEY_ID = "AKIA" + base64.b32encode(_NOISE[:10]).decode()
PLANTED = {
    "access key": ("deploy.sh", f"export AWS_ACCESS_KEY_ID={_KEY_ID}"),
    "secret key": ("settings.toml", f'aws_secret_access_key = "{_BASE64}"'),
    "private key": ("docs/notes.md", "-----BEGIN EC " + "PRIVATE KEY-----"),
    "token": (
        "tests/events/setup.json",
        '{"Authorization": "Bearer '
        + ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"RS256"}', b"{}", _NOISE))
        + '"}',
    ),
    "password in a URL": ("requirements.txt", "--index-url https://somebody:" + "hunter22@packages.example.com/simple"),
    "noise": ("functions/setup_mfa/service.py", f'KEY = "{_NOISE.hex()}"'),
    "beside a comment that would silence others": (
        "app.py",
        f'PASSWORD = "{_BASE64}"  # pragma: allowlist ' + "secret",
    ),
    "in a snapshot": ("tests/infra/snapshots/dev/mfa-dev-data.json", f'"Password": "{_BASE64}"'),
    "in a lock file": ("package-lock.json", '"resolved": "https://somebody:' + 'hunter22@packages.example.com/a.tgz"'),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)  # noqa: S607 -- whichever git there is
    return tmp_path


def write(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text + "\n")


def test_every_planted_secret_is_found(root: Path) -> None:
    for file, text in PLANTED.values():
        write(root, file, text)

    found = {finding.file for finding in unexplained(findings(root, files_of(root)))}

    assert {name for name, (file, _) in PLANTED.items() if file not in found} == set()


def test_pinned_hashes_are_no_secrets_and_what_is_beside_them_is(root: Path) -> None:
    pinned = f"boto3==1.0 \\\n    --hash=sha256:{hashlib.sha256(b'a wheel').hexdigest()} \\\n"
    write(root, "requirements.txt", pinned + f'    --hash="{_NOISE.hex()}"')

    assert {finding.line for finding in findings(root, files_of(root))} == {3}


def test_files_that_git_ignores_are_not_looked_at(root: Path) -> None:
    write(root, ".gitignore", "build/")
    for file in ("build/zip.txt", "kept.txt"):
        write(root, file, PLANTED["private key"][1])

    assert [finding.file for finding in findings(root, files_of(root))] == ["kept.txt"]


@pytest.mark.parametrize("file", ["functions/shared/settings.py", "local/users.py", ".ci/run", "cdk.json"])
def test_even_an_example_is_explained_only_where_it_belongs(file: str) -> None:
    example = Finding(file, 1, "Secret Keyword", "JBSWY3DPEHPK3PXP" * 2)

    assert unexplained([example]) == [example]


def test_an_explanation_of_nothing_is_told() -> None:
    example = Finding("README.md", 1, "Secret Keyword", "JBSWY3DPEHPK3PXP")

    assert unused([example]) == list(ALLOWED[1:])
