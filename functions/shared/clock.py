"""Time: epoch seconds inside, ISO-8601 UTC with ``Z`` wherever somebody reads it."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

type Clock = Callable[[], float]
"""A source of the present time in epoch seconds, such as `time.time`."""


def iso_timestamp(epoch_seconds: float) -> str:
    """Return whole seconds as ``2024-01-20T10:00:00Z``, rounded down."""
    # Not by strftime: on Linux it writes a year before 1000 with three digits, which are never read again.
    return datetime.fromtimestamp(math.floor(epoch_seconds), UTC).isoformat().removesuffix("+00:00") + "Z"


def epoch_from_iso(timestamp: str) -> int:
    """Return the epoch seconds of a timestamp as `iso_timestamp` writes it.

    Raises
    ------
    ValueError
        The text is no such timestamp.
    """
    return int(datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
