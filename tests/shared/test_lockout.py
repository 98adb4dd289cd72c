"""The lock after wrong codes, at its boundaries."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.lockout import Failures

LAST = 1_800_000_000
COUNTS = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("count", "seconds"),
    [
        *((5, 60), (6, 120), (7, 240), (8, 480), (9, 960), (10, 1920)),
        *((11, 3600), (12, 3600), (50, 3600), (99, 3600), (100, math.inf), (101, math.inf)),
    ],
)
def test_from_the_fifth_each_wrong_code_locks_twice_as_long_up_to_an_hour_and_the_hundredth_for_good(
    count: int, seconds: float
) -> None:
    assert Failures(count, LAST).locked_until() == LAST + seconds


@pytest.mark.parametrize("count", range(5))
def test_four_lock_nothing(count: int) -> None:
    assert Failures(count, LAST).locked_until() is None
    assert Failures(count, LAST).retry_after(LAST) == 0


@pytest.mark.parametrize(
    ("now", "seconds"),
    [(LAST, 60), (LAST + 0.1, 60), (LAST + 17.3, 43), (LAST + 59.5, 1), (LAST + 60, 0), (LAST + 61, 0)],
)
def test_the_wait_is_rounded_up_and_over_at_the_exact_second(now: float, seconds: int) -> None:
    assert Failures(5, LAST).retry_after(now) == seconds


def test_a_permanent_lock_has_no_end() -> None:
    assert Failures(100, LAST).retry_after(LAST + 10**12) is None


def test_a_count_without_a_time_locks_only_for_good() -> None:
    assert Failures(99).retry_after(LAST) == 0
    assert Failures(100).retry_after(LAST) is None


def test_one_more_wrong_code_counts_and_notes_the_whole_second() -> None:
    assert Failures().after(LAST + 0.9) == Failures(1, LAST)
    assert Failures(4, LAST - 5).after(LAST) == Failures(5, LAST)


@given(COUNTS)
def test_more_wrong_codes_never_lock_for_a_shorter_time(count: int) -> None:
    fewer, more = (Failures(each, LAST).locked_until() or 0 for each in (count, count + 1))
    assert fewer <= more


@given(COUNTS, st.floats(LAST, LAST + 4000))
def test_waiting_as_long_as_required_is_enough(count: int, now: float) -> None:
    wait = Failures(count, LAST).retry_after(now)
    if wait is not None:
        assert Failures(count, LAST).retry_after(now + wait) == 0
