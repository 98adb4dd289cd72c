"""Writes to an enabled item, or writes that enable one, that no function and no operator's command makes.

IAM cannot distinguish them: `setup_mfa` may overwrite any item, and DynamoDB has no permission to write one attribute
but not another by its old value. The stream shows the item before and after each write, and each write that this
service makes has one of a few forms. Every other one is reported.

A principal that may write to the table can imitate these writes. Each then causes its usual event: `MFAEnabled`,
`MFAUnlocked`, `MFAUsedAfterFailures`, `BackupCodeUsed` or `BackupCodesRegenerated`.
"""

from typing import Final

from functions.security_events.stream import Change
from functions.shared.contract import (
    BACKUP_CODE_COUNT,
    STEP_SECONDS,
    WINDOW,
    Actor,
    Attribute,
    Factor,
)
from functions.shared.lockout import Failures
from functions.shared.record import MfaRecord

#: Every write changes these. An item of an older deployment has no ``status``, and is enabled with or without it.
_BOOKKEEPING: Final = frozenset({Attribute.VERSION, Attribute.UPDATED_AT, Attribute.LAST_REQUEST_ID, Attribute.STATUS})
_COUNTERS: Final = {
    Factor.TOTP: {Attribute.FAILED_ATTEMPTS, Attribute.LAST_FAILED_AT},
    Factor.BACKUP_CODE: {Attribute.BACKUP_FAILED_ATTEMPTS, Attribute.BACKUP_LAST_FAILED_AT},
}
_CODES: Final = {Attribute.BACKUP_CODES, Attribute.BACKUP_CODES_USED, Attribute.BACKUP_CODES_SALT}
#: What a confirmed enrolment changes. The codes are stored anew, because another version may have made the enrolment.
_CONFIRMED: Final = {
    *_BOOKKEEPING,
    *_COUNTERS[Factor.TOTP],
    *(Attribute.ENABLED_AT, Attribute.EXPIRES_AT, Attribute.LAST_USED_STEP, Attribute.BACKUP_CODES),
}
#: A function reads its clock up to 20 s before DynamoDB writes, and the stream's time is approximate.
_TOLERANCE_SECONDS: Final = 60


def used_factors(change: Change, old: MfaRecord, new: MfaRecord) -> frozenset[Factor]:
    """Return the factors of which this write accepted a code."""
    return frozenset(
        factor
        for factor, used in (
            (Factor.TOTP, _step_used(change, old, new)),
            (Factor.BACKUP_CODE, _backup_code_used(old, new)),
        )
        if used
    )


def unexplained_attributes(change: Change, old: MfaRecord, new: MfaRecord) -> list[str]:
    """Return the attributes, sorted, whose change between two enabled records no route and no operator explains."""
    explained: set[str] = {*_BOOKKEEPING}
    used = used_factors(change, old, new)
    if Factor.TOTP in used:
        explained.add(Attribute.LAST_USED_STEP)
    if Factor.BACKUP_CODE in used or (Factor.TOTP in used and _is_new_set(old, new)):
        explained |= _CODES
    for factor in Factor:
        before, after = old.failures(factor), new.failures(factor)
        cleared = after == Failures() and (factor in used or change.by_operator)
        if cleared or _is_one_more(change, before, after):
            explained |= _COUNTERS[factor]
    return sorted(change.changed - explained)


def actor_of_enrolment(change: Change, new: MfaRecord) -> Actor:
    """Return who turned a second factor on, by the form of the write: verify-setup's, an import's, or neither.

    The role of `setup_mfa` cannot imitate either: it may not write ``enabled_at``, ``last_used_step`` or
    ``last_request_id``.
    """
    if _is_imported(change, new):
        return Actor.IMPORT
    return Actor.USER if _is_confirmed(change, new) else Actor.UNKNOWN


def _is_confirmed(change: Change, new: MfaRecord) -> bool:
    if change.old is None or not change.changed <= _CONFIRMED:
        return False
    return new.enabled_at is not None and new.expires_at is None and _step_used(change, change.old, new)


def _is_imported(change: Change, new: MfaRecord) -> bool:
    unused = new.last_used_step is None and all(new.failures(factor) == Failures() for factor in Factor)
    without_codes = not new.backup_codes and not new.backup_codes_used
    return change.by_import and unused and without_codes and new.expires_at is None


def _step_used(change: Change, old: MfaRecord, new: MfaRecord) -> bool:
    step, before = new.last_used_step, old.last_used_step
    if step is None or (before is not None and step <= before):
        return False
    return abs(step * STEP_SECONDS - change.written_at) <= (WINDOW + 1) * STEP_SECONDS + _TOLERANCE_SECONDS


def _backup_code_used(old: MfaRecord, new: MfaRecord) -> bool:
    moved = new.backup_codes_used[-1:]
    return (
        new.backup_codes_salt == old.backup_codes_salt
        and new.backup_codes_used == (*old.backup_codes_used, *moved)
        and new.backup_codes == tuple(code for code in old.backup_codes if code not in moved)
        and len(new.backup_codes) == len(old.backup_codes) - 1
    )


def _is_new_set(old: MfaRecord, new: MfaRecord) -> bool:
    renewed = new.backup_codes_salt not in (None, old.backup_codes_salt)
    return renewed and len(new.backup_codes) == BACKUP_CODE_COUNT and not new.backup_codes_used


def _is_one_more(change: Change, before: Failures, after: Failures) -> bool:
    if after.last_at is None or after.count != before.count + 1:
        return False
    return abs(after.last_at - change.written_at) <= _TOLERANCE_SECONDS
