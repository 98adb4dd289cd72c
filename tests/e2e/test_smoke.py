"""The smoke test of the pipeline passes on the deployed stack, and finds errors."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.paths import REPOSITORY
from local.stack import Stack
from tests.support.http_user import NewUser
from tests.support.stack import Aws


def smoke(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.smoke", *arguments],
        cwd=REPOSITORY,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_passes_and_leaves_nothing_behind(stack: Stack, new_user: NewUser, tmp_path: Path) -> None:
    user = new_user("smoke@example.com")
    stack.save(tmp_path / "stack.json")

    finished = smoke("--stack", str(tmp_path / "stack.json"))

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "All responses were correct" in finished.stdout
    assert user.item() == {}


def test_takes_a_url_and_a_token_from_the_environment(stack: Stack, new_user: NewUser) -> None:
    user = new_user("token-of-smoke@example.com")

    finished = smoke("--api-url", stack.api_url, MFA_SMOKE_TOKEN=user.token)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert user.token not in finished.stdout
    assert user.item() == {}


@pytest.mark.parametrize("part", [0, -1], ids=["header", "signature"])
def test_fails_with_an_invalid_token(stack: Stack, new_user: NewUser, part: int) -> None:
    parts = new_user("token-of-smoke@example.com").token.split(".")
    parts[part] = parts[part][::-1]

    finished = smoke("--api-url", stack.api_url, MFA_SMOKE_TOKEN=".".join(parts))

    assert finished.returncode == 1
    assert "GET /auth/mfa answered 401" in finished.stderr


def test_takes_an_environment_and_deletes_its_user(stack: Stack, aws: Aws) -> None:
    """The URL is given as well, because the stack's outputs contain that of AWS."""
    before = aws.user_names()
    finished = smoke("--environment", stack.environment, "--api-url", stack.api_url, **stack.sdk_variables())

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert aws.user_names() == before


def test_fails_if_the_environment_is_not_deployed(stack: Stack) -> None:
    finished = smoke("--environment", "nowhere", **stack.sdk_variables())

    assert finished.returncode == 1
    assert finished.stderr == "error: The environment nowhere is not deployed in this account and region\n"
