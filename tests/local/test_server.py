import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports, server
from local.errors import LocalError
from local.server import AlreadyRunningError
from local.stack import Place
from tests.support.emulator import eventually

_by_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes by /proc")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(ports.free_port(), tmp_path)
    yield place
    server.stop(place)


def _exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_emulators_run_side_by_side_and_stop_one_by_one(tmp_path: Path) -> None:
    first = server.start(Place(ports.free_port(), tmp_path))
    second = server.start(Place(ports.free_port(), tmp_path))
    assert server.running(first.place) == first.process.pid
    first.stop()
    assert server.running(first.place) is None
    assert server.running(second.place) == second.process.pid
    second.stop()


def test_a_second_emulator_on_the_same_port_is_refused_and_harms_nothing(place: Place) -> None:
    started = server.start(place)
    with pytest.raises(AlreadyRunningError, match=f"already running on port {place.port}"):
        server.start(place)
    assert server.running(place) == started.process.pid
    started.stop()


def test_the_holder_of_a_port_is_named(place: Place) -> None:
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, place.port))
        other.listen()
        with pytest.raises(LocalError) as refused:
            server.start(place)
    message = str(refused.value)
    assert message.count("\n") == 1  # what is wrong, and what to do about it
    assert f"Port {place.port} is in use by" in message
    if sys.platform == "linux":
        assert f"process {os.getpid()} (" in message
    assert server.running(place) is None


def test_after_a_crash_the_leftovers_are_cleared_by_the_next_start(place: Place) -> None:
    started = server.start(place)
    leftover = place.temporary / "leftover"
    leftover.write_text("extracted code")
    place.state.write_text("{}")
    os.killpg(started.process.pid, signal.SIGKILL)
    started.process.wait()
    started._lock.close()
    assert started.process.stdin is not None
    started.process.stdin.close()
    assert place.state.exists()
    assert server.running(place) is None

    again = server.start(place)
    assert not leftover.exists()
    assert not place.state.exists()
    again.stop()


def test_an_emulator_ends_with_the_process_that_started_it(place: Place) -> None:
    code = (
        "import sys, time; from pathlib import Path; from local import server; from local.stack import Place\n"
        "server.start(Place(int(sys.argv[1]), Path(sys.argv[2]))); print('ready', flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(place.port), str(place.root)], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    with starter.stdout:
        assert starter.stdout.readline() == b"ready\n"
    emulator = server.running(place)
    assert emulator is not None
    starter.kill()
    starter.wait()
    eventually(lambda: server.running(place) is None)
    eventually(lambda: not _exists(emulator))
    assert not place.temporary.exists()


def test_a_released_emulator_outlives_the_process_that_started_it(place: Place) -> None:
    started = server.start(place)
    started.release()
    assert server.running(place) == started.process.pid
    assert server.stop(place)
    started.process.wait()
    assert not server.stop(place)


def test_an_emulator_that_does_not_come_up_is_explained_by_its_log(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = server._environment
    monkeypatch.setattr(server, "_environment", lambda *given: whole(*given) | {"GATEWAY_PORT": "no port"})
    with pytest.raises(LocalError, match=r"ended while starting(.|\n)*ValueError"):
        server.start(place)
    assert server.running(place) is None
    assert not place.temporary.exists()


@_by_proc
def test_the_emulator_listens_on_the_loopback_interface_alone(place: Place) -> None:
    started = server.start(place)
    listening = {
        line.split()[1].partition(":")[0]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if int(line.split()[1].rpartition(":")[2], 16) == place.port and line.split()[3] == "0A"
    }
    assert listening == {"0100007F"}
    started.stop()


@_by_proc
def test_the_emulator_sees_nothing_of_its_starters_environment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.com")
    started = server.start(place)
    seen = Path(f"/proc/{started.process.pid}/environ").read_text().split("\0")
    names = {variable.partition("=")[0] for variable in seen}
    assert not names & {"LOG_LEVEL", "AWS_PROFILE", "AWS_ENDPOINT_URL"}
    assert f"TMPDIR={place.temporary}" in seen
    started.stop()
