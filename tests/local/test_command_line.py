import base64
import dataclasses
import fcntl
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from infra.paths import REPOSITORY
from local import ports, server
from local.__main__ import main
from local.stack import FIELDS, Place, Stack
from tests.support.emulator import PATIENCE_SECONDS, eventually


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
    eventually(lambda: run.lines[-1].strip() == stack.console_url)
    assert "\x1b" not in _read_lines(run)
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
    assert up.stdout.splitlines()[-1].strip() == Stack.load(place.state).console_url
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
    assert status.stdout.splitlines()[-1].strip() == Stack.load(place.state).console_url

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


def test_a_port_of_another_program_is_named_with_its_holder_and_a_way_out(place: Place) -> None:
    with socket.create_server((ports.LOOPBACK, place.port)):
        refused = _finish(place, "up")
    assert refused.returncode == 1
    assert f"Port {place.port} is in use by " in refused.stderr
    suggested = re.search(r"`make run LOCAL_PORT=(\d+)`", refused.stderr)
    assert suggested is not None
    assert int(suggested[1]) > place.port
    assert "Traceback" not in refused.stderr


@contextmanager
def _held(place: Place) -> Iterator[None]:
    """Hold the lock of a place as an emulator does that runs there: this process stands for it."""
    place.create()
    with place.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def test_a_stack_that_is_starting_is_told_from_none(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with _held(place):
        assert _local(place, "status") == 3
        assert _local(place, "token", "--user", "ann") == 1
    printed = capsys.readouterr()
    assert f"is starting (process {os.getpid()})" in printed.out
    assert "is still starting" in printed.err
    assert printed.out.count(str(place.deploy_log)) == printed.err.count(str(place.deploy_log)) == 1


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"unknown": 1}'], ids=["empty", "half", "a list", "another version"]
)
@pytest.mark.parametrize("command", [("status",), ("token", "--user", "ann")], ids=["status", "token"])
def test_a_state_that_cannot_be_read_is_named_with_what_to_do(
    place: Place, command: tuple[str, ...], content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with _held(place):
        place.state.write_text(content)
        assert _local(place, *command) == 1
    printed = capsys.readouterr().err
    assert f"{place.state} cannot be read: " in printed
    assert f"`make down LOCAL_PORT={place.port}`, then `make run LOCAL_PORT={place.port}`" in printed


def test_an_emulator_that_does_not_answer_is_named_with_its_log(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    fields: dict[str, Any] = {name: {} if name == "functions" else name for name in FIELDS}
    stack = dataclasses.replace(Stack(**fields), endpoint_url=server.endpoint_url(place.port), region="us-east-1")
    with _held(place):
        stack.save(place.state)
        assert _local(place, "token", "--user", "ann") == 1
    printed = capsys.readouterr().err
    assert f"The embedded AWS on port {place.port} does not answer" in printed
    assert str(place.log) in printed
    assert f"`make down LOCAL_PORT={place.port}`" in printed


def test_a_place_that_is_no_directory_is_named(place: Place) -> None:
    place.root.joinpath("file").touch()
    refused = _finish(Place(place.port, place.root / "file"), "up")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{place.root / 'file'}")
    assert "--directory" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_no_command_is_answered_with_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    told = capsys.readouterr().err
    for command in ("run", "up", "down", "status", "token", "inert"):
        assert re.search(rf"^  {command} +\w", told, re.MULTILINE), command


@pytest.mark.parametrize("command", ["run", "up", "down", "status", "token"])
def test_the_help_of_each_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: python -m local {command} ")
    assert re.search(rf"^example: .*\b{command}\b", told, re.MULTILINE)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=["as it is", "NO_COLOR", "NO_COLOR empty", "dumb"],
)
def test_a_terminal_gets_colours_unless_it_asks_for_none(
    place: Place, environment: dict[str, str], coloured: bool
) -> None:
    screen, terminal = pty.openpty()
    command = [*_command(place, "token"), "--user", "ann"]
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    try:
        subprocess.run(
            command, cwd=REPOSITORY, stderr=terminal, check=False, env=inherited | {"TERM": "xterm"} | environment
        )
        shown = os.read(screen, 10_000).decode()
    finally:
        os.close(screen)
        os.close(terminal)
    assert "No stack is running" in shown
    assert ("\x1b[1;31mNo stack" in shown) == coloured
    assert coloured or "\x1b" not in shown


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
