"""Time: epoch seconds inside, ISO-8601 UTC with ``Z`` where people read it."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

type Clock = Callable[[], float]
"""Returns the current time in epoch seconds, as `time.time` does."""


def iso_timestamp(epoch_seconds: float) -> str:
    """Return whole seconds as ``2024-01-20T10:00:00Z``, rounded down."""
    # Not strftime: on Linux it writes years before 1000 with three digits.
    return datetime.fromtimestamp(math.floor(epoch_seconds), UTC).isoformat().removesuffix("+00:00") + "Z"


def epoch_from_iso(timestamp: str) -> int:
    """Return the epoch seconds of a timestamp in the form of `iso_timestamp`.

    Raises
    ------
    ValueError
        The text has another form.
    """
    # Not strptime, which takes three times as long. fromisoformat reads other forms as well.
    if timestamp.endswith("Z"):
        epoch_seconds = int(datetime.fromisoformat(timestamp).timestamp())
        if iso_timestamp(epoch_seconds) == timestamp:
            return epoch_seconds
    raise ValueError(f"{timestamp!r} does not match 2024-01-20T10:00:00Z")
