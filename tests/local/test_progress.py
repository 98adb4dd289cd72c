import io
import re
import time
from contextlib import suppress

import pytest

from local.progress import Progress
from tests.support.emulator import eventually

_ROUNDING = 0.05
_ESCAPE = re.compile(r"\x1b\[[?\d;]*[A-Za-z]|\r")
#: Moves up and erases the line, as a transient display does at its end.
_ERASED = "\x1b[1A\x1b[2K"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")


def _seconds_of(line: str) -> float:
    """Return the seconds in a step's line, the only output."""
    match = re.fullmatch(r"  deploy \[1/2\] +(\d+\.\d) s\n", line)
    assert match, line
    return float(match[1])


def test_a_log_gets_one_line_per_step_with_its_seconds_even_if_it_fails() -> None:
    log = io.StringIO()
    began = time.monotonic()
    with suppress(KeyError), Progress(log).step("deploy [1/2]"):
        assert log.getvalue() == ""
        time.sleep(0.2)
        raise KeyError
    assert 0.2 <= _seconds_of(log.getvalue()) <= time.monotonic() - began + _ROUNDING


def test_a_step_without_duration_is_not_reported() -> None:
    log = io.StringIO()
    with Progress(log).step("deploy"):
        pass
    assert log.getvalue() == ""


def test_a_terminal_shows_the_current_step_and_then_its_line() -> None:
    terminal = _Terminal()
    began = time.monotonic()
    with Progress(terminal).step("deploy [1/2]"):
        eventually(lambda: re.search(r"deploy \[1/2\] 0:00:0\d", terminal.getvalue()), within=3)
        time.sleep(0.2)  # long enough to be reported
    _, erased, left = terminal.getvalue().rpartition(_ERASED)
    assert erased
    assert 0.2 <= _seconds_of(_ESCAPE.sub("", left)) <= time.monotonic() - began + _ROUNDING


def test_a_long_wait_is_shown_and_erased() -> None:
    terminal = _Terminal()
    with Progress(terminal).wait("log in"):
        eventually(lambda: "log in" in terminal.getvalue(), within=3)
    assert terminal.getvalue().endswith(_ERASED)


@pytest.mark.parametrize("out", [io.StringIO(), _Terminal()], ids=["log", "terminal"])
def test_a_short_wait_is_not_shown(out: io.StringIO) -> None:
    with Progress(out).wait("log in"):
        pass
    assert out.getvalue() == ""


def test_a_dumb_terminal_gets_the_lines_of_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    terminal = _Terminal()
    with Progress(terminal).step("deploy"):
        time.sleep(0.2)
    assert "\x1b" not in terminal.getvalue()
