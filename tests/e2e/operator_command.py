"""The operator's command, run as an administrator of the stack under test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.paths import REPOSITORY
from local.stack import Stack
from tests.support.leaks import OVER_HTTP


class OperatorCommand:
    """Starts the command; what it prints and logs is searched for secrets when the run ends.

    Parameters
    ----------
    state : Path
        Where the command keeps its audit log.
    """

    def __init__(self, stack: Stack, state: Path) -> None:
        self._stack = stack
        self.log = state / "mfa-operator" / "log.jsonl"
        self._environment = {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": stack.access_key_id,
            "AWS_SECRET_ACCESS_KEY": stack.secret_access_key,
            "AWS_ENDPOINT_URL": stack.endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "XDG_STATE_HOME": str(state),
        }

    def start(self, action: str, *options: str) -> "subprocess.Popen[str]":
        """Start the command for the stack's environment."""
        where = ["--environment", self._stack.environment, "--region", self._stack.region]
        return subprocess.Popen(
            [sys.executable, "-m", "tools.operator", action, *where, *options],
            cwd=REPOSITORY,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, action: str, *options: str, status: int = 0) -> str:
        """Run the command to its end, and return its standard output."""
        with self.start(action, *options) as process:
            out, err = process.communicate()
        self.searched(out, err)
        assert process.returncode == status, err
        return out

    def change(self, action: str, user_id: str) -> str:
        """Unlock or reset a user, and return the line of the audit log."""
        return self.run(action, "--user", user_id, "--yes", "--json", "--reason", "end-to-end test")

    def searched(self, *texts: str) -> None:
        """Let texts and the audit log be searched for secrets."""
        log = self.log.read_text() if self.log.exists() else ""
        OVER_HTTP.answers.extend(("the output of the operator's command", text) for text in (*texts, log))


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> OperatorCommand:
    """Return the operator's command."""
    return OperatorCommand(stack, tmp_path)
