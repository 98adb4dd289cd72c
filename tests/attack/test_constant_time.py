"""The time of a comparison does not depend on how much of a guess is right.

Measured as in dudect (Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?", 2017): two classes of
guesses in random order, and Welch's t-test on their times, cropped at several percentiles. The control is a comparison
that stops at the first difference. `tests.shared.test_constant_time` counts the comparisons.
"""

import ast
import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

import numpy as np
import pyotp
import pytest

from functions.shared import totp
from infra.paths import REPOSITORY

#: Names of values that must be compared by `hmac.compare_digest`.
_SECRET_NAMES: Final = frozenset(
    {"at", "backup_code", "code", "hash", "hashed", "hashes", "offered", "secret", "stored", "token"}
)
_SECRET: Final = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ"
_NOW: Final = 1_800_000_015.0

#: dudect takes 4.5 for a hint and 10 for a proof; a busy machine may give hints.
_PROOF: Final = 10.0
_PERCENTILES: Final = (30, 50, 70, 80, 90, 95, 99, 100)
_MEASUREMENTS: Final = 60_000
#: Below a percentile, each class must have this many times to be compared.
_LEAST: Final = 1000


def last_name(node: ast.expr) -> str:
    """Return the name of a value: ``code`` for ``self.code.encode()[0]``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name not in ("encode", "lower", "upper", "strip", "hex"):
            return name
        case ast.Attribute(value=inner) | ast.Call(func=inner) | ast.Subscript(value=inner):
            return last_name(inner)
        case _:
            return ""


def secrets_compared_by_operator(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]) if _SECRET_NAMES & {
                last_name(left),
                last_name(right),
            }:
                yield ast.unparse(node)


def test_no_secret_is_compared_by_an_operator() -> None:
    assert list(secrets_compared_by_operator("hotp.at(step) == x\nx != self.code.encode()\na == b")) == [
        "hotp.at(step) == x",
        "x != self.code.encode()",
    ]
    for path in (REPOSITORY / "functions").rglob("*.py"):
        assert list(secrets_compared_by_operator(path.read_text())) == [], path


@dataclass(frozen=True)
class Difference:
    """The difference between two classes of guesses: the median times in nanoseconds, and the greatest |t|."""

    early: float
    late: float
    t: float


def welch_t(first: np.ndarray, second: np.ndarray) -> float:
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    return float((first.mean() - second.mean()) / error)


def difference(compare: Callable[[str], object], early: Sequence[str], late: Sequence[str]) -> Difference:
    """Time guesses that are wrong in their first character, and guesses that are wrong only in their last."""
    choose = random.Random(20260101)  # noqa: S311 - the order of a measurement
    classes = [choose.random() < 0.5 for _ in range(_MEASUREMENTS)]
    # Each guess is a new string: its place in memory affects the time, and must not depend on its class.
    guesses = ["".join([*choose.choice(late if is_late else early)]) for is_late in classes]
    times = np.empty(_MEASUREMENTS)
    gc.collect()
    gc.disable()
    try:
        for number, guess in enumerate(guesses):
            began = time.perf_counter_ns()
            compare(guess)
            times[number] = time.perf_counter_ns() - began
    finally:
        gc.enable()
    is_late = np.array(classes)
    ts = []
    for limit in np.percentile(times, _PERCENTILES):
        kept = times <= limit
        first, second = times[kept & ~is_late], times[kept & is_late]
        if min(len(first), len(second)) >= _LEAST:
            ts.append(abs(welch_t(first, second)))
    return Difference(float(np.median(times[~is_late])), float(np.median(times[is_late])), max(ts))


def stops_early(one: bytes, other: bytes) -> bool:
    if len(one) != len(other):
        return False
    for expected, found in zip(one, other, strict=True):  # noqa: SIM110 - as it is written by hand
        if expected != found:
            return False
    return True


def wrong_in_one_digit(text: str, position: int) -> list[str]:
    """Return the texts that differ from a text in one digit."""
    return [f"{text[:position]}{digit}{text[position + 1 :]}" for digit in "0123456789" if digit != text[position]]


@pytest.mark.attack
def test_times_do_not_depend_on_how_much_of_a_guess_is_right(
    monkeypatch: pytest.MonkeyPatch, report: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    code = pyotp.TOTP(_SECRET).at(int(_NOW))
    early, late = wrong_in_one_digit(code, 0), wrong_in_one_digit(code, len(code) - 1)

    def match(guess: str) -> object:
        return totp.matching_step(_SECRET, guess, now=_NOW)

    found = {"TOTP code": difference(match, early, late)}
    monkeypatch.setattr(totp, "hmac", SimpleNamespace(compare_digest=stops_early))
    found["control: stops at the first difference"] = difference(match, early, late)
    rows = [f"| {what} | {seen.early:.0f} | {seen.late:.0f} | {seen.t:.1f} |" for what, seen in found.items()]
    say(", ".join(f"{what}: t = {seen.t:.1f}" for what, seen in found.items()))
    report(
        "Constant time",
        f"""
Times of {_MEASUREMENTS} guesses a row, half of them wrong in the first character and half only in the last. A Welch's t
over {_PROOF:.0f} proves that the times differ.

| Compared | Median (ns), wrong first character | Median (ns), wrong last character | t |
|---|---|---|---|
{"\n".join(rows)}
""",
    )
    for what, seen in found.items():
        assert (seen.t >= _PROOF) is what.startswith("control"), f"{what}: {seen}"
