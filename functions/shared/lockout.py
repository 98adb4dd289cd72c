"""How wrong codes lock a factor: the fifth locks it for a minute, each further one for twice as long, up to an hour.

At a hundred the factor stays locked until an operator unlocks it. Wrong codes are counted per user and factor, not per
session; a right code resets the count.
"""

import math
from dataclasses import dataclass

from functions.shared.contract import (
    FIRST_LOCK_SECONDS,
    FREE_ATTEMPTS,
    LONGEST_LOCK_SECONDS,
    MAX_CONSECUTIVE_FAILURES,
)


@dataclass(frozen=True)
class Failures:
    """Consecutive wrong codes of one factor.

    Attributes
    ----------
    count : int
        Their number.
    last_at : int or None
        Epoch seconds of the last one.
    """

    count: int = 0
    last_at: int | None = None

    def locked_until(self) -> float | None:
        """Return the epoch seconds at which the lock ends or ended: infinity for a permanent lock, None without one."""
        if self.count >= MAX_CONSECUTIVE_FAILURES:
            return math.inf
        if self.count < FREE_ATTEMPTS or self.last_at is None:
            return None
        # Doubling passes the longest lock after a few steps; the bound keeps the power small.
        doublings = min(self.count - FREE_ATTEMPTS, LONGEST_LOCK_SECONDS.bit_length())
        return self.last_at + min(FIRST_LOCK_SECONDS << doublings, LONGEST_LOCK_SECONDS)

    def retry_after(self, now: float) -> int | None:
        """Return the seconds until the lock ends, rounded up: 0 if unlocked, None if the lock is permanent."""
        until = self.locked_until()
        if until is None or until <= now:
            return 0
        return None if until == math.inf else math.ceil(until - now)

    def after(self, now: float) -> "Failures":
        """Return the state after one more wrong code."""
        return Failures(count=self.count + 1, last_at=int(now))
