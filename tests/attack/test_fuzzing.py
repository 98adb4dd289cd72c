"""Code that takes bytes from outside keeps its promises: under Hypothesis for a moment, under atheris for longer."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.paths import REPOSITORY
from tests.attack.fuzz_targets import TARGETS, Target

#: For each target.
SECONDS = 20
#: Any target reaches many more in that time.
LEAST_EXECUTIONS = 1000


@st.composite
def mutated(draw: st.DrawFn, target: Target) -> bytes:
    """Draw a seed with a few of its bytes changed, dropped, doubled or replaced by others."""
    data = bytearray(draw(st.sampled_from(target.seeds())))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 4))
        match draw(st.sampled_from(["flip", "insert", "drop", "double", "cut"])):
            case "flip" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                data[at:at] = draw(st.binary(max_size=8) | st.sampled_from([b"{", b"]", b"null", b"\xed\xa0\x80"]))
            case "drop":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + 16]
            case "cut":
                del data[at:]
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_a_moment(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=500, suppress_health_check=list(HealthCheck))
    @given(mutated(target) | st.binary(max_size=400))
    def hold(data: bytes) -> None:
        target.run(data)

    for seed in target.seeds():
        target.run(seed)
    hold()


@pytest.mark.attack
def test_the_fuzzer_finds_nothing(
    tmp_path: Path, report: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    rows = []
    for name, target in TARGETS.items():
        folder = tmp_path / name
        folder.mkdir()
        result = subprocess.run(
            [sys.executable, "-m", "tests.attack.fuzz", name, str(SECONDS), folder],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS + 120,
            check=False,
        )
        findings = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
        assert (result.returncode, findings) == (0, []), result.stderr[-5000:]
        executions = re.search(r"stat::number_of_executed_units: (\d+)", result.stderr)
        assert executions, result.stderr
        assert int(executions[1]) > LEAST_EXECUTIONS
        say(f"{name}: {executions[1]} executions")
        rows.append(f"| {target.promise} | {executions[1]} |")
    report(
        "Fuzzing",
        f"""
Each target for {SECONDS} s with atheris, guided by the branches of the code and of its libraries, without a finding.

| Promise | Executions |
|---|---|
{"\n".join(rows)}
""",
    )
