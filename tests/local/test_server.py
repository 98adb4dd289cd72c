import os
import signal
from pathlib import Path

import psutil
import pytest

from local import ports, server
from local.errors import LocalError
from local.stack import StackFolder


def test_a_port_that_is_taken_is_replaced_by_a_free_one() -> None:
    with ports.listen(0) as first, ports.listen(first.getsockname()[1]) as second:
        assert second.getsockname()[1] != first.getsockname()[1]
        assert not ports.is_free(first.getsockname()[1])


def test_two_emulators_run_side_by_side_and_stop_one_by_one(tmp_path: Path) -> None:
    first = server.start(StackFolder(ports.free_port(), tmp_path))
    second = server.start(StackFolder(ports.free_port(), tmp_path))
    assert server.running(first.folder) == first.process.pid
    first.stop()
    assert server.running(first.folder) is None
    assert server.running(second.folder) == second.process.pid
    second.stop()


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
