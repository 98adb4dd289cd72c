import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local import ports, server
from local.errors import LocalError
from local.server import AlreadyRunningError
from local.stack import StackFolder
from tests.support.emulator import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StackFolder]:
    folder = StackFolder(ports.free_port(), tmp_path)
    yield folder
    server.stop(folder)


def _exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_emulators_run_side_by_side_and_stop_one_by_one(tmp_path: Path) -> None:
    first = server.start(StackFolder(ports.free_port(), tmp_path))
    second = server.start(StackFolder(ports.free_port(), tmp_path))
    assert server.running(first.folder) == first.process.pid
    first.stop()
    assert server.running(first.folder) is None
    assert server.running(second.folder) == second.process.pid
    second.stop()


def test_a_second_emulator_on_the_same_port_is_refused_and_the_first_keeps_running(folder: StackFolder) -> None:
    started = server.start(folder)
    with pytest.raises(AlreadyRunningError, match=f"already running on port {folder.port}"):
        server.start(folder)
    assert server.running(folder) == started.process.pid
    started.stop()


def test_the_holder_of_a_port_is_named(folder: StackFolder) -> None:
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, folder.port))
        other.listen()
        with pytest.raises(LocalError) as refused:
            server.start(folder)
    message = str(refused.value)
    assert message.count("\n") == 1  # the problem, and what to do
    assert f"Port {folder.port} is in use by" in message
    if sys.platform == "linux":
        assert f"process {os.getpid()} (" in message
    assert server.running(folder) is None


def test_the_next_start_after_a_crash_clears_its_files(folder: StackFolder) -> None:
    started = server.start(folder)
    leftover = folder.temporary / "leftover"
    leftover.write_text("extracted code")
    folder.state.write_text("{}")
    os.killpg(started.process.pid, signal.SIGKILL)
    started.process.wait()
    started._lock.close()
    assert started.process.stdin is not None
    started.process.stdin.close()
    assert folder.state.exists()
    assert server.running(folder) is None

    again = server.start(folder)
    assert not leftover.exists()
    assert not folder.state.exists()
    again.stop()


def test_an_emulator_ends_with_the_process_that_started_it(folder: StackFolder) -> None:
    code = (
        "import sys, time; from pathlib import Path; from local import server; from local.stack import StackFolder\n"
        "server.start(StackFolder(int(sys.argv[1]), Path(sys.argv[2]))); print('ready', flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(folder.port), str(folder.root)], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    with starter.stdout:
        assert starter.stdout.readline() == b"ready\n"
    emulator = server.running(folder)
    assert emulator is not None
    starter.kill()
    starter.wait()
    eventually(lambda: server.running(folder) is None)
    eventually(lambda: not _exists(emulator))
    assert not folder.temporary.exists()


def test_a_released_emulator_outlives_the_process_that_started_it(folder: StackFolder) -> None:
    started = server.start(folder)
    started.release()
    assert server.running(folder) == started.process.pid
    assert server.stop(folder)
    started.process.wait()
    assert not server.stop(folder)


def test_a_failed_start_shows_the_log(folder: StackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = server._environment
    monkeypatch.setattr(server, "_environment", lambda *given: whole(*given) | {"GATEWAY_PORT": "no port"})
    with pytest.raises(LocalError, match=r"ended while starting(.|\n)*ValueError"):
        server.start(folder)
    assert server.running(folder) is None
    assert not folder.temporary.exists()


def test_the_emulator_listens_only_on_the_loopback_interface(folder: StackFolder) -> None:
    started = server.start(folder)
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(started.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {ports.LOOPBACK}
    started.stop()


def test_the_emulator_does_not_inherit_its_starters_environment(
    folder: StackFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.com")
    started = server.start(folder)
    seen = psutil.Process(started.process.pid).environ()
    assert not seen.keys() & {"LOG_LEVEL", "AWS_PROFILE", "AWS_ENDPOINT_URL"}
    assert seen["TMPDIR"] == str(folder.temporary)
    started.stop()
