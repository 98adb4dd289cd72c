"""The acceptance checks run on the deployed stack, and all that it can answer holds."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.paths import REPOSITORY
from local.stack import Stack
from tests.support.http_user import NewUser
from tests.support.stack import Aws

SECONDS: float = 120


def acceptance(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.acceptance", *arguments],
        cwd=REPOSITORY,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


@pytest.fixture
def state_file(stack: Stack, tmp_path: Path) -> str:
    stack.save(tmp_path / "stack.json")
    return str(tmp_path / "stack.json")


def created(aws: Aws) -> list[object]:
    """Return what the checks create, as far as it exists."""
    return [
        aws.client("sqs").list_queues()["QueueUrls"],
        aws.client("events").list_rules()["Rules"],
        aws.client("sns").list_subscriptions()["Subscriptions"],
        [group["logGroupName"] for group in aws.client("logs").describe_log_groups()["logGroups"]],
    ]


def test_everything_that_the_stack_can_answer_holds_and_nothing_is_left_behind(
    state_file: str, aws: Aws, new_user: NewUser
) -> None:
    user, before = new_user("smoke@example.com"), created(aws)

    finished = acceptance("--stack", state_file, "--json")

    results = json.loads(finished.stdout)
    assert {each["key"] for each in results if each["result"] == "does not hold"} == set(), finished.stdout
    assert finished.returncode == 0
    assert {each["key"] for each in results if each["result"] == "unknown"} == {
        *("http/firewall", "functions/tags", "functions/snapshots", "functions/first-requests"),
        *("functions/releases", "functions/replicas", "functions/concurrency", "functions/after-a-silence"),
        *("logs/request-id", "logs/quoted-user-agent"),
        *("logs/masking", "roles/items", "roles/key", "roles/proof-keys", "alarms/subscriptions"),
        *("metrics/AWS/DynamoDB", "metrics/AWS/KMS", "metrics/AWS/SQS"),
    }
    assert user.item() == {}
    assert created(aws) == before


def test_fails_when_an_assumption_does_not_hold(stack: Stack, tmp_path: Path) -> None:
    replace(stack, environment="nowhere").save(tmp_path / "stack.json")

    finished = acceptance("--stack", str(tmp_path / "stack.json"))

    assert finished.returncode == 1
    assert "alarms/evaluated does not hold: there are no alarms" in finished.stdout


def test_finds_an_environment_by_its_stacks_and_deletes_its_user(stack: Stack, aws: Aws) -> None:
    """The URL is given as well, because the stack's outputs contain that of AWS."""
    before = aws.user_names()
    finished = acceptance(
        *("--environment", stack.environment, "--api-url", stack.api_url, "--only", "http/", "--json"),
        **stack.sdk_variables(),
    )

    assert finished.returncode == 0, finished.stderr
    assert {each["key"]: each["detail"] for each in json.loads(finished.stdout) if each["result"] != "holds"} == {
        "http/firewall": "not answerable here: this environment has no firewall"
    }
    assert aws.user_names() == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--api-url", "http://127.0.0.1:9/v1"], "expected --environment or --stack"),
        (["--environment", "dev", "--only", "htp/"], "--only: no key begins with 'htp/'"),
    ],
)
def test_wrong_usage_is_reported_in_one_line(arguments: list[str], error: str) -> None:
    finished = acceptance(*arguments)

    assert finished.returncode == 2
    assert finished.stderr.endswith(f"error: {error}\n")
