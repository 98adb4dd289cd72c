"""Runs the operator's command in this process, with a person at the keyboard."""

import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.security_events.service import derive_events
from functions.security_events.stream import change_from_record
from tests.support.aws_calls import Failure
from tests.support.embedded_aws import TABLE_NAME
from tests.support.life_cycle import User
from tests.support.stream_records import stream_record
from tools.operator.__main__ import main


def answering(**members: Any) -> Failure:
    """Return a response of AWS, for ``recorded``: of services that the emulated AWS does not have."""
    return lambda: (SimpleNamespace(status_code=200, headers={}), members)


def events_of(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    """Return the type and detail of each event that a write of an item causes."""
    change = change_from_record(stream_record(old, new))
    return [(str(event.type), event.detail("dev")) for event in derive_events(change)]


def silently(call: Callable[[], object]) -> None:
    """Call a route without its log, which is not the command's output."""
    with redirect_stdout(io.StringIO()):
        call()


@dataclass
class Outcome:
    """The exit status of a run of the command, its standard output, and what it showed to people."""

    status: int
    out: str
    shown: str

    @property
    def printed(self) -> dict[str, Any]:
        """The only line of standard output, as JSON; empty if there is none."""
        lines = self.out.splitlines()
        assert len(lines) <= 1, "standard output is for one line of JSON"
        found: dict[str, Any] = json.loads(lines[0]) if lines else {}
        return found


class Terminal(io.StringIO):
    """A person at the keyboard who types a line; ``meanwhile`` runs before that."""

    def __init__(self, text: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(f"{text}\n")
        self._meanwhile = meanwhile

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # as io.StringIO itself
        silently(self._meanwhile)
        return super().readline(-1 if size is None else size)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the audit log of the operator."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "mfa-operator" / "log.jsonl"


@pytest.fixture
def run_command(
    user: User, log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Return a function that runs the command at the user's time."""

    def execute(*arguments: str, stdin: io.StringIO | None = None) -> Outcome:
        monkeypatch.setattr(sys, "stdin", stdin or Terminal("yes"))
        capsys.readouterr()
        status = main(arguments, clock=user.time)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return execute


@pytest.fixture
def run(run_command: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Return a function that runs the command for user-1 of the embedded table, with JSON."""

    def execute(action: str, *options: str, where: str = f"--table={TABLE_NAME}", **others: Any) -> Outcome:
        reason = [] if action == "show" else ["--reason=ticket 4711"]
        return run_command(action, "--user=user-1", where, "--json", *reason, *options, **others)

    return execute
