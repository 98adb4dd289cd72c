import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from infra.paths import REPOSITORY
from local import lifeline
from tests.support.emulator import PATIENCE_SECONDS, eventually

type Family = tuple[subprocess.Popen[str], list[int]]

#: Starts another process in a separate session, as CDK does with the app, and prints both ids.
_PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


def _guarded(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "local.lifeline", *command],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def family() -> Iterator[Family]:
    with _guarded(sys.executable, "-c", _PARENT) as guard:
        assert guard.stdout is not None
        yield guard, [int(word) for word in guard.stdout.readline().split()]


def _running(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_cut_lifeline_ends_the_command_and_its_descendants_in_other_sessions(family: Family) -> None:
    guard, processes = family
    assert all(_running(process) for process in processes)
    assert guard.stdin is not None
    guard.stdin.close()
    eventually(lambda: not any(_running(process) for process in processes))
    assert guard.wait(PATIENCE_SECONDS) != 0


def test_a_released_command_outlives_its_starter(family: Family) -> None:
    guard, processes = family
    assert guard.stdin is not None
    guard.stdin.write(lifeline.RELEASE.decode())
    guard.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        guard.wait(1)
    assert all(_running(process) for process in processes)
    for process in processes:
        os.kill(process, 9)


@pytest.mark.parametrize("status", [0, 3])
def test_the_exit_status_of_the_command_is_returned(status: int) -> None:
    with _guarded(sys.executable, "-c", f"print('said'); raise SystemExit({status})") as guard:
        assert guard.wait(PATIENCE_SECONDS) == status
        assert guard.stdout is not None
        assert guard.stdout.read() == "said\n"
