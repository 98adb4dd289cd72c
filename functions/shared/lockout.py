"""How wrong codes lock a factor: five are free, then each one locks it for twice as long, and a hundred for good.

Counted per user and per kind of factor, never per session; a right code starts the count anew.
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
    """Consecutive wrong codes of one kind.

    Attributes
    ----------
    count : int
        How many.
    last_at : int or None
        Epoch seconds of the last one.
    """

    count: int = 0
    last_at: int | None = None

    def locked_until(self) -> float | None:
        """Return the epoch seconds until which the factor is locked, infinity for good, None for never locked."""
        if self.count >= MAX_CONSECUTIVE_FAILURES:
            return math.inf
        if self.count < FREE_ATTEMPTS or self.last_at is None:
            return None
        # Doubling passes the longest lock after a few steps; the bound keeps the power small.
        doublings = min(self.count - FREE_ATTEMPTS, LONGEST_LOCK_SECONDS.bit_length())
        return self.last_at + min(FIRST_LOCK_SECONDS << doublings, LONGEST_LOCK_SECONDS)

    def retry_after(self, now: float) -> int | None:
        """Return the whole seconds until the factor is unlocked: 0 when it is, None when time will not unlock it."""
        until = self.locked_until()
        if until is None or until <= now:
            return 0
        return None if until == math.inf else math.ceil(until - now)

    def after(self, now: float) -> "Failures":
        """Return the state after one more wrong code."""
        return Failures(count=self.count + 1, last_at=int(now))
