"""The pipeline's scripts, run with fakes of the commands that they call."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.paths import REPOSITORY

#: What the gate runs.
STEPS = (
    *("apt-get update -qq", "install_image_tools.sh"),
    *("make setup", "make check", "audit.sh", "make docs", "check_synth.sh", "make image-test", "make test"),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the scripts and a fake CDK CLI that prints its arguments."""
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts")
    command(tmp_path / "node_modules" / ".bin" / "cdk", 'echo "cdk $*"')
    command(tmp_path / ".venv" / "bin" / "python", 'echo "python $*"')
    return tmp_path


def command(path: Path, code: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o755)


def run(checkout: Path, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts" / script, *arguments],
        env={"PATH": f"{checkout}/bin:{os.defpath}", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_deployment_needs_no_confirmation_and_passes_options_on(checkout: Path) -> None:
    finished = run(checkout, "deploy.sh", "deploy", "prod", "-c", "traffic_shift=all-at-once")

    assert finished.stdout == (
        "python -m tools.unprotect prod\n"
        "cdk deploy --require-approval never --progress events"
        " mfa-prod/* -c environment=prod -c traffic_shift=all-at-once\n"
    )


def test_an_environments_settings_file_is_used_if_it_exists(checkout: Path) -> None:
    (checkout / "prod.toml").touch()

    assert run(checkout, "deploy.sh", "deploy", "prod").stdout.endswith("-c config=prod.toml\n")
    assert "config=" not in run(checkout, "deploy.sh", "deploy", "dev").stdout


def test_a_difference_is_markdown(checkout: Path) -> None:
    finished = run(checkout, "deploy.sh", "diff", "dev")

    lines = finished.stdout.splitlines()
    assert [lines[0], lines[2], lines[-1]] == ["## What changes in dev", "```diff", "```"]
    assert lines[3].startswith("cdk diff --no-color --method=template mfa-dev/*")


def test_a_failing_difference_fails_and_says_why(checkout: Path) -> None:
    command(checkout / "node_modules" / ".bin" / "cdk", "echo no credentials; exit 1")

    finished = run(checkout, "deploy.sh", "diff", "dev")

    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "", "no credentials\n")


@pytest.mark.parametrize("failing", ["node_modules/.bin/cdk", ".venv/bin/python"])
def test_a_failing_deployment_fails(checkout: Path, failing: str) -> None:
    command(checkout / failing, "exit 1")

    assert run(checkout, "deploy.sh", "deploy", "dev").returncode == 1


def test_the_deployed_commit_is_that_of_the_last_successful_deployment(checkout: Path) -> None:
    command(
        checkout / "bin" / "gh",
        """case $2 in
        *statuses) [ "$2" = repos/owner/name/deployments/2/statuses ] && echo 0 || echo null ;;
        *environment=prod*) echo "3 failed"; echo "2 good"; echo "1 older" ;;
        esac""",
    )

    assert run(checkout, "deployed_commit.sh", "prod", GITHUB_REPOSITORY="owner/name").stdout == "good\n"


def test_before_the_first_deployment_there_is_no_deployed_commit(checkout: Path) -> None:
    command(checkout / "bin" / "gh", "true")

    finished = run(checkout, "deployed_commit.sh", "prod", GITHUB_REPOSITORY="owner/name")

    assert (finished.returncode, finished.stdout) == (0, "")


def test_the_token_of_an_external_issuer_reaches_the_smoke_test_and_its_secret_no_argument(checkout: Path) -> None:
    command(
        checkout / "bin" / "curl", """echo "$*" > "$0.arguments"; cat > /dev/null; echo '{"access_token": "T0KEN"}'"""
    )
    command(
        checkout / ".venv" / "bin" / "python",
        f"""case $1 in -c) exec {shutil.which("python3")} "$@" ;; esac; echo "$MFA_SMOKE_TOKEN $*" """,
    )
    issuer = {"TOKEN_URL": "https://issuer.example/token", "CLIENT_ID": "client", "CLIENT_SECRET": "s3cret"}

    finished = run(checkout, "smoke.sh", "prod", **issuer)

    assert finished.stdout == "T0KEN -m tests.smoke --environment prod\n"
    assert "s3cret" not in (checkout / "bin" / "curl.arguments").read_text()


def test_without_an_external_issuer_the_smoke_test_creates_its_user(checkout: Path) -> None:
    command(checkout / ".venv" / "bin" / "python", 'echo "${MFA_SMOKE_TOKEN-none} $*"')

    assert run(checkout, "smoke.sh", "dev").stdout == "none -m tests.smoke --environment dev\n"
    assert run(checkout, "smoke.sh", "dev", "tests.acceptance").stdout == (
        "none -m tests.acceptance --environment dev\n"
    )


NO_SERVICE = "echo service unreachable >&2; exit 1"
FOUND = "echo thing 1.0 PYSEC-1 1.1; exit 1"
NPM_FOUND = """echo '{"auditReportVersion": 2, "vulnerabilities": {"thing": {"severity": "high"}}}'; exit 1"""


@pytest.mark.parametrize(
    ("pip_audit", "npm", "status"),
    [
        ("", "", 0),
        (FOUND, "", 1),
        ("", NPM_FOUND, 1),
        (NO_SERVICE, "", 3),
        ("echo thing could not be audited", "", 3),
        ("", f"echo '{{}}'; {NO_SERVICE}", 3),
        (NO_SERVICE, NPM_FOUND, 1),
        (FOUND, NO_SERVICE, 1),
    ],
)
def test_the_audit_distinguishes_a_vulnerability_from_a_service_that_cannot_be_reached(
    checkout: Path, pip_audit: str, npm: str, status: int
) -> None:
    command(checkout / ".venv" / "bin" / "pip-audit", pip_audit)
    command(checkout / ".venv" / "bin" / "npm", npm)

    finished = run(checkout, "audit.sh")

    assert finished.returncode == status
    assert ("NOT AUDITED" in finished.stderr) is (NO_SERVICE in pip_audit + npm or "could not" in pip_audit)


@pytest.fixture
def gate(checkout: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the gate; each command prints its name, and one can fail with a status."""
    shutil.copytree(REPOSITORY / ".ci", checkout / ".ci")
    command(checkout / "bin" / "sudo", 'exec "$@"')
    for name in ("make", "apt-get"):
        command(checkout / "bin" / name, f'echo "ran {name} $*"; [ "{name} $*" != "$FAILS" ] || exit "$STATUS"')
    for name in ("audit.sh", "check_synth.sh", "install_image_tools.sh"):
        command(checkout / "scripts" / name, f'echo "ran {name}"; [ {name} != "$FAILS" ] || exit "$STATUS"')

    def run_gate(fails: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
        return run(checkout, "../.ci/run", FAILS=fails, STATUS=str(status))

    return run_gate


def test_the_gate_passes_when_each_step_does(gate: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    finished = gate()

    assert (finished.returncode, finished.stderr) == (0, "")
    ran = {line for line in finished.stdout.splitlines() if line.startswith("ran ")}
    assert ran == {f"ran {step}" for step in STEPS}


@pytest.mark.parametrize("step", STEPS)
def test_the_gate_fails_when_a_step_fails(gate: Callable[..., subprocess.CompletedProcess[str]], step: str) -> None:
    assert gate(step, 1).returncode != 0


def test_the_gate_passes_if_the_vulnerability_service_cannot_be_reached(
    gate: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert gate("audit.sh", 3).returncode == 0


def test_the_gate_installs_the_programs_that_tests_require() -> None:
    (install,) = [line for line in (REPOSITORY / ".ci" / "run").read_text().splitlines() if "apt-get install" in line]

    assert {"chromium-headless-shell", "oathtool"} <= set(install.split())
