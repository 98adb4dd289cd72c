"""A user's second factor as an operator may see it, and the two things that an operator may make of it. Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from functions.shared.clock import iso_timestamp
from functions.shared.contract import Factor, Status
from functions.shared.lockout import Failures
from functions.shared.record import MfaRecord

type Summary = Mapping[str, str | int | None]
"""The state of a user's second factor without anything confidential, ready for JSON."""

UNTIL_UNLOCKED: Final = "an operator unlocks it"


def summarize(record: MfaRecord | None, now: float) -> Summary:
    """Return what an operator may know about a user's second factor: no secret, no code, no hash.

    Parameters
    ----------
    record : MfaRecord or None
        What is stored.
    now : float
        Epoch seconds.
    """
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
        failures = _failures(record, factor)
        summary[f"{factor}_failed_attempts"] = failures.count
        summary[f"{factor}_locked_until"] = _locked_until(failures, now)
    return summary


def unlocked(record: MfaRecord, factors: Iterable[Factor]) -> MfaRecord:
    """Return the record with the failures of some factors forgotten, as if each had just been proved."""
    for factor in factors:
        if factor is Factor.TOTP:
            record = replace(record, failed_attempts=0, last_failed_at=None)
        else:
            record = replace(record, backup_failed_attempts=0, backup_last_failed_at=None)
    return record


def emptied(record: MfaRecord, now: float) -> MfaRecord:
    """Return the record as a discarded enrolment: no secret, no codes, expired, so that the user can enrol anew.

    An item in this state is as good as none: setup replaces it, the other routes take it for nothing, and the
    table's TTL removes it if nobody else does.
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


def _failures(record: MfaRecord, factor: Factor) -> Failures:
    if factor is Factor.TOTP:
        return Failures(record.failed_attempts, record.last_failed_at)
    return Failures(record.backup_failed_attempts, record.backup_last_failed_at)


def _locked_until(failures: Failures, now: float) -> str | None:
    until = failures.locked_until()
    if until is None or until <= now:
        return None
    return UNTIL_UNLOCKED if until == math.inf else iso_timestamp(until)


def _iso(time: int | None) -> str | None:
    return None if time is None else iso_timestamp(time)
