"""Runs the JavaScript tests of the client library."""

import subprocess
from pathlib import Path

from tests.support.node import NODE


def test_the_client_library() -> None:
    tests = Path(__file__).with_name("client_library.test.mjs")
    ran = subprocess.run([NODE, "--test", tests], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout
    assert "fail 0" in ran.stdout
    assert "pass 0" not in ran.stdout
