"""A user's second factor as an operator may see it, and what an operator may change about it. Without side effects."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

from functions.shared.clock import iso_timestamp
from functions.shared.contract import Factor, Status
from functions.shared.lockout import Failures
from functions.shared.record import MfaRecord

type Summary = Mapping[str, str | int | None]
"""The state of a user's second factor without anything confidential, ready for JSON."""

UNTIL_UNLOCKED: Final = "an operator unlocks it"


def summarize(record: MfaRecord | None, now: float) -> Summary:
    """Return the state of a user's second factor at an epoch second, without secrets, codes and hashes."""
    if record is None:
        return {"state": "none"}
    if not record.enabled:
        state = "pending" if record.pending_at(now) else "expired"
        return {"state": state, "expires_at": _iso(record.expires_at)}
    summary: dict[str, str | int | None] = {
        "state": "enabled",
        "enabled_at": _iso(record.enabled_at),
        "backup_codes_remaining": len(record.backup_codes),
    }
    for factor in Factor:
        failures = record.failures(factor)
        summary[f"{factor}_failed_attempts"] = failures.count
        summary[f"{factor}_locked_until"] = _locked_until(failures, now)
    return summary


def unlocked(record: MfaRecord, factors: Iterable[Factor]) -> MfaRecord:
    """Return the record with the wrong codes of some factors cleared, as after a right code."""
    for factor in factors:
        record = record.with_failures(factor, Failures())
    return record


def emptied(record: MfaRecord, now: float) -> MfaRecord:
    """Return the record as a discarded enrolment: no secret, no codes, expired, so that the user can enrol again.

    An item in this state has the same effect as no item: setup replaces it, the other routes ignore it, and the
    table's TTL deletes it in the end.
    """
    return MfaRecord(
        user_id=record.user_id,
        status=Status.PENDING,
        encrypted_secret=None,
        backup_codes=(),
        backup_codes_used=(),
        backup_codes_salt=None,
        version=record.version,
        expires_at=int(now),
    )


def _locked_until(failures: Failures, now: float) -> str | None:
    until = failures.locked_until()
    if until is None or until <= now:
        return None
    return UNTIL_UNLOCKED if until == math.inf else iso_timestamp(until)


def _iso(time: int | None) -> str | None:
    return None if time is None else iso_timestamp(time)
