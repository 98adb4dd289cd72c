"""Every command of the operator's pages and of the runbook, as written, on the deployed stack."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.shared.contract import ENDPOINTS, lambda_name
from infra.paths import REPOSITORY
from local.stack import Stack
from tests.support.http_user import HttpUser, NewUser
from tests.support.pages import fences, text_of
from tests.support.stack import Aws

BIN = Path(sys.executable).parent
#: Services that the emulated AWS does not have: the AWS command line only checks the parameters of their commands.
NOT_EMULATED = ("cloudtrail", "deploy")
#: The environment and the user of the pages' examples.
_EXAMPLE = re.compile(r"^export E=.*\n", re.MULTILINE)
#: With its older endpoint for SQS, the AWS command line ignores the variable for endpoints.
_PRELUDE = f"""
aws() {{
    case "$1" in
        {"|".join(NOT_EMULATED)}) command aws "$@" --generate-cli-skeleton output > /dev/null ;;
        sqs) command aws "$@" --endpoint-url "$AWS_ENDPOINT_URL" ;;
        *) command aws "$@" ;;
    esac
}}
"""


def blocks(page: str) -> list[str]:
    return [_EXAMPLE.sub("", block) for block in fences(text_of(page), "sh")]


@pytest.fixture
def shell(stack: Stack, tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a block with a person at the keyboard who confirms everything."""
    (tmp_path / ".venv").symlink_to(REPOSITORY / ".venv")
    environment = {
        "E": stack.environment,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(tmp_path),
        **stack.sdk_variables(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_PAGER": "",
    }

    def run(block: str, **variables: str) -> str:
        keyboard, terminal = pty.openpty()
        os.write(keyboard, b"yes\n" * 5)
        try:
            done = subprocess.run(
                ["/bin/bash", "-euo", "pipefail", "-c", _PRELUDE + block],
                cwd=tmp_path,
                env=environment | variables,
                stdin=terminal,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            os.close(keyboard)
            os.close(terminal)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    return run


def locked(user: HttpUser) -> HttpUser:
    user.enrol()
    for _ in range(5):
        assert user.verify(user.wrong_code()).status == 400
    return user


def test_the_commands_for_a_lost_phone_lead_to_a_user_who_can_enrol_again(
    new_user: NewUser, shell: Callable[..., str]
) -> None:
    name = "lost-phone@example.com"
    user = locked(new_user(name))
    show, unlock, reset, check = blocks("lost-phone.md")
    assert user.user_id in shell(show, USERNAME=name)
    shell(unlock, USERNAME=name)
    assert user.status()["lockedUntil"] is None
    shell(reset, USERNAME=name)
    assert "There is no record for this id." in shell(check, USERNAME=name)
    assert user.setup().status == 200


@pytest.mark.parametrize("page", ["operator.md", "runbook.md"])
def test_the_commands_of_the_page_work_as_written(
    page: str, new_user: NewUser, shell: Callable[..., str], stack: Stack, aws: Aws, tmp_path: Path
) -> None:
    (tmp_path / "users.jsonl").write_text(json.dumps({"user_id": "dry-run", "secret": "JBSWY3DPEHPK3PXP"}))
    (tmp_path / "query.txt").write_text('filter message = "request answered" | stats count() by route')
    letters = aws.client("sqs").list_queues(QueueNamePrefix="mfa-")["QueueUrls"][0]
    for number, block in enumerate(blocks(page)):
        if "make up" in block:  # tests/local/test_command_line.py
            continue
        user_id = locked(new_user(f"documented-{number}@example.com")).user_id if "$SUB" in block else "nobody"
        shell(block, SUB=user_id, QUEUE_URL=letters)


def test_the_queries_from_a_shell_read_the_logs_of_every_function(shell: Callable[..., str], stack: Stack) -> None:
    (block,) = (block for block in blocks("runbook.md") if "start-query" in block)
    groups = block.partition("id=$(")[0]
    shown = shell(f"{groups}\necho $groups").split()
    assert {f"/aws/lambda/{lambda_name(each.function, stack.environment)}" for each in ENDPOINTS} <= set(shown)
    assert set(shown) == {f"/aws/lambda/{name}" for name in stack.functions.values()}
