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
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jwt
import pytest

from infra.paths import REPOSITORY
from local import ports, server
from local.__main__ import main
from local.stack import Stack, StackFolder
from tests.local.example import STACK
from tests.support.emulator import PATIENCE_SECONDS, eventually

COMMANDS = ("run", "up", "down", "status", "token", "env", "code", "inert")


def _command(folder: StackFolder, *arguments: str) -> list[str]:
    options = ["--port", str(folder.port), "--directory", str(folder.root)]
    return [sys.executable, "-m", "tests.local.quick_stack", *arguments, *options]


def _finish(folder: StackFolder, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command(folder, *arguments),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS * 2,
        check=False,
    )


class _Run:
    """`run` in a separate process, started and ready; its output goes to a file."""

    def __init__(self, folder: StackFolder) -> None:
        self._output = folder.root / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(_command(folder, "run"), cwd=REPOSITORY, stdout=output, stderr=output)
        # The URL of the console comes last.
        ready = re.compile(r"Stop it with Ctrl-C.*\n\n  http\S+\n$")
        eventually(lambda: ready.search(self.printed) or self.process.poll() is not None)

    @property
    def printed(self) -> str:
        return self._output.read_text()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def _responds(folder: StackFolder) -> bool:
    try:
        with urllib.request.urlopen(folder.endpoint_url + server.HEALTH_PATH, timeout=5) as response:  # noqa: S310
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_prints_its_urls_and_a_signal_removes_everything(folder: StackFolder, number: int) -> None:
    run = _Run(folder)
    stack = Stack.load(folder.state)
    assert f"curl -s -X POST {stack.api_url}/auth/mfa/setup" in run.printed
    assert run.printed.endswith(f"  {stack.console_url}\n")
    assert "\x1b" not in run.printed
    assert stat.S_IMODE(folder.state.stat().st_mode) == 0o600
    assert (folder.root / "stack.json").resolve() == folder.state
    assert _responds(folder)

    assert run.end(number) == 0
    assert not _responds(folder)
    assert server.running(folder) is None
    assert [path.name for path in (folder.state, folder.temporary, folder.root / "stack.json") if path.exists()] == []


def test_the_emulator_ends_with_a_killed_run_and_the_next_run_works(folder: StackFolder) -> None:
    run = _Run(folder)
    run.end(signal.SIGKILL)
    eventually(lambda: not _responds(folder))
    eventually(lambda: server.running(folder) is None)
    eventually(lambda: not folder.state.exists() and not folder.temporary.exists())

    again = _Run(folder)
    assert _responds(folder)
    assert again.end(signal.SIGINT) == 0


def test_a_run_reports_its_killed_emulator_and_the_next_run_works(folder: StackFolder) -> None:
    run = _Run(folder)
    emulator = server.running(folder)
    assert emulator is not None
    os.killpg(emulator, signal.SIGKILL)
    assert run.process.wait(PATIENCE_SECONDS) == 1
    assert "stopped by another program" in run.printed

    again = _Run(folder)
    assert again.end(signal.SIGINT) == 0


def test_up_keeps_running_until_down_and_token_and_status_find_it(
    folder: StackFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    up = _finish(folder, "up")
    assert up.returncode == 0, up.stderr
    assert f"make down LOCAL_PORT={folder.port}" in up.stdout
    assert up.stdout.splitlines()[-1].strip() == Stack.load(folder.state).console_url
    assert _responds(folder)

    token = ("token", "--user", "ann@example.com")
    printed = _finish(folder, *token).stdout
    assert printed.count("\n") == 1
    claims = _claims(printed.strip())
    assert (claims["token_use"], claims["username"]) == ("access", "ann-at-example.com")
    again = _claims(_finish(folder, *token, "--kind", "id").stdout.strip())
    assert (again["token_use"], again["sub"], again["email"]) == ("id", claims["sub"], "ann@example.com")
    assert _finish(folder, *token, "--sub").stdout == f"{claims['sub']}\n"

    stack = Stack.load(folder.state)
    shell = ["/bin/sh", "-c", f"{_finish(folder, 'env').stdout}\nenv"]
    variables = subprocess.check_output(shell, env={"AWS_PROFILE": "other"}, text=True).splitlines()
    assert {
        f"API={stack.api_url}",
        f"AWS_ENDPOINT_URL={stack.endpoint_url}",
        f"AWS_SECRET_ACCESS_KEY={stack.secret_access_key}",
    } <= {*variables}
    assert not [line for line in variables if line.startswith("AWS_PROFILE")]

    monkeypatch.delenv("LOCAL_PORT", raising=False)
    assert main(["status", "--json", "--directory", str(folder.root)]) == 0  # the port of the only running stack
    shown = json.loads(capsys.readouterr().out)
    assert (shown["state"], shown["port"], shown["process"]) == ("running", folder.port, server.running(folder))
    assert (shown["api_url"], shown["console_url"]) == (stack.api_url, stack.console_url)

    status = _finish(folder, "status")
    assert status.returncode == 0
    assert f"running (process {server.running(folder)})" in status.stdout
    assert status.stdout.splitlines()[-1].strip() == Stack.load(folder.state).console_url

    assert _finish(folder, "down").returncode == 0
    assert not _responds(folder)
    assert not server.stop(folder)
    assert _finish(folder, "status").returncode == 3
    stopped = _finish(folder, "status", "--json")
    assert (stopped.returncode, json.loads(stopped.stdout)["state"]) == (3, "stopped")


def test_a_second_up_deploys_to_the_running_emulator(folder: StackFolder) -> None:
    assert _finish(folder, "up").returncode == 0
    first = server.running(folder)
    before = Stack.load(folder.state)
    assert _finish(folder, "up").returncode == 0
    after = Stack.load(folder.state)
    assert server.running(folder) == first
    assert after.user_pool_id == before.user_pool_id
    assert after.client_id != before.client_id


def test_run_beside_a_running_stack_says_how_to_stop_that(folder: StackFolder) -> None:
    assert _finish(folder, "up").returncode == 0
    refused = _finish(folder, "run")
    assert refused.returncode == 1
    assert f"already running on port {folder.port}" in refused.stderr
    assert f"make down LOCAL_PORT={folder.port}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert _responds(folder)


def _local(folder: StackFolder, *arguments: str) -> int:
    return main([*arguments, "--port", str(folder.port), "--directory", str(folder.root)])


def test_token_without_a_stack_says_how_to_start_one(folder: StackFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert _local(folder, "token", "--user", "ann") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"make run LOCAL_PORT={folder.port}" in printed.err


def test_down_without_a_stack_succeeds(folder: StackFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert _local(folder, "down") == 0
    assert f"No stack is running on port {folder.port}" in capsys.readouterr().err


def test_a_port_in_use_is_refused_with_its_holder_and_another_port(folder: StackFolder) -> None:
    with socket.create_server((ports.LOOPBACK, folder.port)):
        refused = _finish(folder, "up")
    assert refused.returncode == 1
    assert f"Port {folder.port} is in use by " in refused.stderr
    if sys.platform == "linux":
        assert f"process {os.getpid()} (" in refused.stderr
    assert refused.stderr.count("\n") == 2  # the problem, and what to do
    assert server.running(folder) is None
    suggested = re.search(r"`make run LOCAL_PORT=(\d+)`", refused.stderr)
    assert suggested is not None
    assert int(suggested[1]) > folder.port
    assert "Traceback" not in refused.stderr


@contextmanager
def _held(folder: StackFolder) -> Iterator[None]:
    """Hold the lock of a folder as a running emulator does."""
    folder.create()
    with folder.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def test_a_starting_stack_is_recognised(folder: StackFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with _held(folder):
        assert _local(folder, "status") == 3
        assert _local(folder, "token", "--user", "ann") == 1
    printed = capsys.readouterr()
    assert f"is starting (process {os.getpid()})" in printed.out
    assert "is still starting" in printed.err
    assert printed.out.count(str(folder.deploy_log)) == printed.err.count(str(folder.deploy_log)) == 1


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"unknown": 1}'], ids=["empty", "half", "a list", "another version"]
)
@pytest.mark.parametrize("command", [("status",), ("token", "--user", "ann")], ids=["status", "token"])
def test_an_unreadable_state_file_is_named_with_what_to_do(
    folder: StackFolder, command: tuple[str, ...], content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with _held(folder):
        folder.state.write_text(content)
        assert _local(folder, *command) == 1
    printed = capsys.readouterr().err
    assert f"{folder.state} cannot be read: " in printed
    assert f"`make down LOCAL_PORT={folder.port}`, then `make run LOCAL_PORT={folder.port}`" in printed


def test_an_unresponsive_emulator_is_named_with_its_log(
    folder: StackFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = dataclasses.replace(STACK, endpoint_url=folder.endpoint_url, region="us-east-1")
    with _held(folder):
        stack.save(folder.state)
        assert _local(folder, "token", "--user", "ann") == 1
    printed = capsys.readouterr().err
    assert f"The emulated AWS on port {folder.port} does not respond" in printed
    assert str(folder.log) in printed
    assert f"`make down LOCAL_PORT={folder.port}`" in printed


def test_a_directory_that_is_a_file_is_named(folder: StackFolder) -> None:
    folder.root.joinpath("file").touch()
    refused = _finish(StackFolder(folder.port, folder.root / "file"), "up")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{folder.root / 'file'}")
    assert "--directory" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_a_command_the_help_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr().err
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", shown, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: python -m local {command} ")
    assert re.search(rf"^example: .*\b{command}\b", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=["as it is", "NO_COLOR", "NO_COLOR empty", "dumb"],
)
def test_a_terminal_gets_colours_unless_they_are_disabled(
    folder: StackFolder, environment: dict[str, str], coloured: bool
) -> None:
    screen, terminal = pty.openpty()
    command = [*_command(folder, "token"), "--user", "ann"]
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
def test_an_invalid_port_is_refused_by_name(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["status", f"--port={port}"])
    assert refused.value.code == 2
    assert f"{port!r} is not a port" in capsys.readouterr().err


def test_the_environment_sets_the_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_PORT", "4699")
    assert main(["status", "--directory", str(tmp_path)]) == 3
    assert "port 4699" in capsys.readouterr().out


def test_an_unknown_kind_of_token_is_refused_with_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["token", "--user", "ann", "--kind", "foo"])
    assert refused.value.code == 2
    # Versions of Python quote the choices or do not.
    assert "invalid choice: foo (choose from access, id)" in capsys.readouterr().err.replace("'", "")


def test_the_code_of_a_secret_is_the_one_of_an_authenticator_app(
    oathtool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [oathtool, "--totp", "--base32", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"]
    before = subprocess.check_output(command, text=True)
    assert main(["code", "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp"]) == 0
    assert capsys.readouterr().out in {before, subprocess.check_output(command, text=True)}
    assert main(["code", "0189"]) == 1
    assert capsys.readouterr().err.startswith("This is not a secret in base32")


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m local inert | head -0"
    ended = subprocess.run(
        ["/bin/bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert (ended.stdout, ended.stderr) == (f"{128 + signal.SIGPIPE}\n", "")


def test_inert_resources_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inert"]) == 0
    assert "AWS::CodeDeploy::DeploymentGroup: " in capsys.readouterr().out
