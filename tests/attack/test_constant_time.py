"""How long a comparison takes says nothing about how much of a guess is right.

By reading: nothing secret is compared by an operator anywhere in the functions. By measurement, as dudect does
(Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?", 2017): two classes of guesses, in random order,
and Welch's t-test on their times, cropped at several percentiles. A comparison that stops at the first difference is
the control: the same measurement must tell it. By counting: `tests.shared.test_constant_time`.
"""

import ast
import base64
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

from functions.shared import second_factor, totp
from functions.shared.backup_codes import BackupCodeKeys
from infra.paths import REPOSITORY

#: Names of what is secret, or made of it, where it is compared.
_SECRET_NAMES: Final = frozenset(
    {
        "at",
        "backup_code",
        "backup_codes",
        "backup_codes_used",
        "code",
        "codes",
        "hash",
        "hashed",
        "hashes",
        "offered",
        "secret",
        "stored",
        "token",
    }
)
#: Comparisons of other things by such a name: error codes of AWS, and codes that are being made.
_OTHER_THINGS: Final = {
    ("functions/shared/aws.py", "code in _OUR_FAULT"),
    ("functions/shared/backup_codes.py", "code not in codes"),
    ("functions/shared/encryption.py", "code in ('InvalidCiphertextException', 'IncorrectKeyException')"),
}
_SECRET: Final = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ"
_NOW: Final = 1_800_000_015.0

#: dudect takes 4.5 for a hint and 10 for a proof; a busy machine may give hints.
_PROOF: Final = 10.0
_PERCENTILES: Final = (30, 50, 70, 80, 90, 95, 99, 100)
_MEASUREMENTS: Final = 60_000
#: So many of each class below a percentile are worth a comparison.
_LEAST: Final = 1000


def comparisons() -> Iterator[tuple[str, ast.Compare]]:
    for path in sorted((REPOSITORY / "functions").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                yield str(path.relative_to(REPOSITORY)), node


def last_name(node: ast.expr) -> str:
    """Return the name that a value goes by: ``code`` of ``self.code.encode()[0]``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name not in ("encode", "lower", "upper", "strip", "hex"):
            return name
        case ast.Attribute(value=inner) | ast.Call(func=inner) | ast.Subscript(value=inner):
            return last_name(inner)
        case _:
            return ""


def test_nothing_secret_is_compared_but_in_constant_time() -> None:
    by_operator = {
        (file, ast.unparse(node))
        for file, node in comparisons()
        if any(isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops)
        and _SECRET_NAMES & {last_name(operand) for operand in (node.left, *node.comparators)}
    }
    assert by_operator == _OTHER_THINGS


@pytest.mark.parametrize(
    "expression", ["code == x", "x != self.code.encode()", "hotp.at(step) == x", "hashed in record.backup_codes"]
)
def test_a_comparison_by_an_operator_would_be_seen(expression: str) -> None:
    node = ast.parse(expression, mode="eval").body
    assert isinstance(node, ast.Compare)
    assert _SECRET_NAMES & {last_name(operand) for operand in (node.left, *node.comparators)}


@dataclass(frozen=True)
class Difference:
    """What two classes of guesses came to: the median time of each, in nanoseconds, and the greatest |t|."""

    early: float
    late: float
    t: float


def welch_t(first: np.ndarray, second: np.ndarray) -> float:
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    return float((first.mean() - second.mean()) / error)


def difference(compare: Callable[[str], object], early: Sequence[str], late: Sequence[str]) -> Difference:
    """Time guesses that are wrong from their beginning, and guesses that are wrong at their end alone."""
    choose = random.Random(20260101)  # noqa: S311 - the order of a measurement
    classes = [choose.random() < 0.5 for _ in range(_MEASUREMENTS)]
    # Each a text of its own: where in memory a text lies tells in nanoseconds, and must not be a matter of its class.
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


def stops_early(stored: bytes, given: bytes) -> bool:
    if len(stored) != len(given):
        return False
    for expected, found in zip(stored, given, strict=True):  # noqa: SIM110 - as it is written by hand
        if expected != found:
            return False
    return True


def wrong_by_one_digit(text: str, position: int) -> list[str]:
    """Return what a text is with one of its (hexadecimal or decimal) digits replaced by the other decimal ones."""
    return [f"{text[:position]}{digit}{text[position + 1 :]}" for digit in "0123456789" if digit != text[position]]


@pytest.mark.attack
def test_times_do_not_tell_how_much_of_a_guess_is_right(
    monkeypatch: pytest.MonkeyPatch, report: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    code = pyotp.TOTP(_SECRET).at(int(_NOW))
    stored = BackupCodeKeys.derive(secret=base64.b32decode(_SECRET), salt=bytes(16)).hashes()[0]
    paths: dict[str, tuple[str, Callable[[str], object]]] = {
        "TOTP code (`matching_step`)": (code, lambda guess: totp.matching_step(_SECRET, guess, now=_NOW)),
        "hash of a backup code (`_same`)": (stored, lambda guess: second_factor._same(stored, guess)),
    }
    found: dict[tuple[str, bool], Difference] = {}
    for path, (right, compare) in paths.items():
        early, late = wrong_by_one_digit(right, 0), wrong_by_one_digit(right, len(right) - 1)
        found[path, True] = difference(compare, early, late)
        with monkeypatch.context() as patched:
            for module in (totp, second_factor):
                patched.setattr(module, "hmac", SimpleNamespace(compare_digest=stops_early))
            found[path, False] = difference(compare, early, late)
        say(f"{path}: t = {found[path, True].t:.1f}, stopping early {found[path, False].t:.1f}")
    rows = [
        f"| {path} | {'`hmac.compare_digest`' if real else 'control: stops at the first difference'} "
        f"| {seen.early:.0f} | {seen.late:.0f} | {seen.t:.1f} |"
        for (path, real), seen in found.items()
    ]
    intro = (
        f"{_MEASUREMENTS} guesses a row, half of them wrong in the first character and half in the last alone, in "
        "random order; Welch's t of their times, the greatest of eight that are cropped at percentiles from the 30th "
        f"to the 100th. Over {_PROOF:.0f} counts as a proof that times differ."
    )
    table = [
        "| Compared | By | ns, wrong at once | ns, wrong at the end | greatest t |",
        "|---|---|---|---|---|",
        *rows,
    ]
    report("Constant time, measured", "\n".join([intro, "", *table]))
    for (path, real), seen in found.items():
        assert (seen.t < _PROOF) is real, f"{path}: {seen}"
