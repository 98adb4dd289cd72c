import base64
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from local import ports, server
from local.__main__ import main
from local.stack import REPOSITORY, Place, Stack
from tests.local.emulator import PATIENCE_SECONDS, eventually


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(ports.free_port(), tmp_path)
    yield place
    server.stop(place)


def _command(place: Place, *arguments: str) -> list[str]:
    options = ["--port", str(place.port), "--directory", str(place.root)]
    return [sys.executable, "-m", "tests.local.quick_stack", *arguments, *options]


def _finish(place: Place, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command(place, *arguments),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS * 2,
        check=False,
    )


class _Run:
    """`run` in a process of its own, started and waited for until it says how to stop it."""

    def __init__(self, place: Place) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            _command(place, "run"), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        eventually(lambda: any("Ctrl-C" in line for line in self.lines) or self.process.poll() is not None)

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return status


def _read_lines(run: _Run) -> str:
    return "".join(run.lines)


def _answers(place: Place) -> bool:
    try:
        with urllib.request.urlopen(f"{server.endpoint_url(place.port)}{server.HEALTH_PATH}", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_explains_itself_and_a_signal_removes_everything(place: Place, number: int) -> None:
    run = _Run(place)
    stack = Stack.load(place.state)
    assert f"curl -s -X POST {stack.api_url}/auth/mfa/setup" in _read_lines(run)
    assert stat.S_IMODE(place.state.stat().st_mode) == 0o600
    assert (place.root / "stack.json").resolve() == place.state
    assert _answers(place)

    assert run.end(number) == 0
    assert not _answers(place)
    assert server.running(place) is None
    assert [path.name for path in (place.state, place.temporary, place.root / "stack.json") if path.exists()] == []


def test_the_emulator_ends_with_a_run_that_was_killed_and_the_next_one_works(place: Place) -> None:
    run = _Run(place)
    run.end(signal.SIGKILL)
    eventually(lambda: not _answers(place))
    eventually(lambda: not place.state.exists() and not place.temporary.exists())

    again = _Run(place)
    assert _answers(place)
    assert again.end(signal.SIGINT) == 0


def test_a_run_whose_emulator_was_killed_says_so_and_the_next_one_works(place: Place) -> None:
    run = _Run(place)
    emulator = server.running(place)
    assert emulator is not None
    os.killpg(emulator, signal.SIGKILL)
    assert run.process.wait(PATIENCE_SECONDS) == 1
    run._reader.join()
    assert run.process.stderr is not None
    assert "ended from outside" in run.process.stderr.read()
    run.end(0)

    again = _Run(place)
    assert again.end(signal.SIGINT) == 0


def test_up_stays_token_and_status_find_it_and_down_ends_it(place: Place) -> None:
    up = _finish(place, "up")
    assert up.returncode == 0, up.stderr
    assert f"make down LOCAL_PORT={place.port}" in up.stdout
    assert _answers(place)

    token = _finish(place, "token", "--user", "ann@example.com")
    assert token.stdout.count("\n") == 1
    claims = _claims(token.stdout.strip())
    assert (claims["token_use"], claims["username"]) == ("access", "ann@example.com")
    again = _claims(_finish(place, "token", "--user", "ann@example.com", "--kind", "id").stdout.strip())
    assert (again["token_use"], again["sub"], again["email"]) == ("id", claims["sub"], "ann@example.com")

    status = _finish(place, "status")
    assert status.returncode == 0
    assert f"running (process {server.running(place)})" in status.stdout

    assert _finish(place, "down").returncode == 0
    assert not _answers(place)
    assert _finish(place, "status").returncode == 3


def test_up_again_deploys_to_the_emulator_that_runs(place: Place) -> None:
    assert _finish(place, "up").returncode == 0
    first = server.running(place)
    before = Stack.load(place.state)
    assert _finish(place, "up").returncode == 0
    after = Stack.load(place.state)
    assert server.running(place) == first
    assert after.user_pool_id == before.user_pool_id
    assert after.client_id != before.client_id


def test_run_where_a_stack_runs_says_how_to_stop_it(place: Place) -> None:
    assert _finish(place, "up").returncode == 0
    refused = _finish(place, "run")
    assert refused.returncode == 1
    assert f"already running on port {place.port}" in refused.stderr
    assert f"make down LOCAL_PORT={place.port}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert _answers(place)


def _local(place: Place, *arguments: str) -> int:
    return main([*arguments, "--port", str(place.port), "--directory", str(place.root)])


def test_token_of_no_stack_says_how_to_start_one(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert _local(place, "token", "--user", "ann") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"make run LOCAL_PORT={place.port}" in printed.err


def test_down_of_no_stack_is_no_failure(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert _local(place, "down") == 0
    assert f"No stack is running on port {place.port}" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "\u0664"])
def test_a_port_that_is_none_is_refused_by_name(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["status", f"--port={port}"])
    assert refused.value.code == 2
    assert f"{port!r} is no port" in capsys.readouterr().err


def test_the_environment_chooses_the_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_PORT", "4699")
    assert main(["status", "--directory", str(tmp_path)]) == 3
    assert "port 4699" in capsys.readouterr().out


def test_inert_parts_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inert"]) == 0
    assert "AWS::CodeDeploy::DeploymentGroup: " in capsys.readouterr().out
