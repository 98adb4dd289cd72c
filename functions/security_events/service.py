"""The security events of a write to a user's item. The same write gives the same events with the same ids.

Most writes cause none: the start, replacement or expiry of an enrolment, a login without wrong codes before it, a
wrong code that locks nothing.
"""

import math
import uuid
from collections.abc import Iterator
from typing import Final

from functions.security_events.models import SecurityEvent
from functions.security_events.stream import Change
from functions.security_events.tampering import actor_of_enrolment, unexplained_attributes, used_factors
from functions.shared.clock import iso_timestamp
from functions.shared.contract import EVENT_SOURCE, Actor, Factor, SecurityEventType
from functions.shared.record import MfaRecord

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, EVENT_SOURCE)


def derive_events(change: Change) -> list[SecurityEvent]:
    """Return the events of one write, in a fixed order."""
    old = change.old if change.old is not None and change.old.enabled else None
    new = change.new if change.new is not None and change.new.enabled else None
    if old is not None and new is not None:
        return [
            *_backup_code_events(change, old, new),
            *_lock_events(change, old, new),
            *_reset_events(change, old, new),
            *_tampered(change, unexplained_attributes(change, old, new)),
        ]
    if new is not None:
        return _switched(change, SecurityEventType.MFA_ENABLED, actor_of_enrolment(change, new))
    if old is not None:
        return _switched(change, SecurityEventType.MFA_DISABLED, _actor_of_removal(change))
    return []


def _switched(change: Change, kind: SecurityEventType, actor: Actor) -> list[SecurityEvent]:
    """Return the events of a write that turned a second factor on or off."""
    unexplained = sorted(change.changed) if actor is Actor.UNKNOWN else []
    return [_event(change, kind, actor=actor), *_tampered(change, unexplained)]


def _actor_of_removal(change: Change) -> Actor:
    """Return who turned a second factor off; the form of the write shows it."""
    if change.expired:
        return Actor.EXPIRY
    # Routes turn an enabled second factor off only by deleting the item, and an operator leaves no secret behind.
    if change.new is None:
        return Actor.USER
    return Actor.OPERATOR if change.by_operator and change.new.encrypted_secret is None else Actor.UNKNOWN


def _backup_code_events(change: Change, old: MfaRecord, new: MfaRecord) -> Iterator[SecurityEvent]:
    remaining = len(new.backup_codes)
    if old.backup_codes_salt != new.backup_codes_salt:  # each new set uses a new salt
        yield _event(change, SecurityEventType.BACKUP_CODES_REGENERATED, backup_codes_remaining=remaining)
    elif len(new.backup_codes_used) > len(old.backup_codes_used):
        yield _event(change, SecurityEventType.BACKUP_CODE_USED, backup_codes_remaining=remaining)


def _lock_events(change: Change, old: MfaRecord, new: MfaRecord) -> Iterator[SecurityEvent]:
    for factor in Factor:
        failures = new.failures(factor)
        until = failures.locked_until()
        if failures.count > old.failures(factor).count and until is not None:
            yield _event(
                change,
                SecurityEventType.MFA_LOCKED,
                factor=factor,
                failed_attempts=failures.count,
                locked_until=None if until == math.inf else iso_timestamp(until),
            )


def _reset_events(change: Change, old: MfaRecord, new: MfaRecord) -> Iterator[SecurityEvent]:
    used = used_factors(change, old, new)
    for factor in Factor:
        failures = old.failures(factor)
        if failures.count == 0 or new.failures(factor).count != 0:
            continue
        facts: dict[str, str | int | None] = {
            "factor": factor,
            "failed_attempts": failures.count,
            "last_failed_at": None if failures.last_at is None else iso_timestamp(failures.last_at),
        }
        if factor in used:
            yield _event(change, SecurityEventType.MFA_USED_AFTER_FAILURES, **facts)
        elif change.by_operator:
            yield _event(change, SecurityEventType.MFA_UNLOCKED, **facts)


def _tampered(change: Change, attributes: list[str]) -> Iterator[SecurityEvent]:
    if attributes:
        yield _event(change, SecurityEventType.MFA_RECORD_TAMPERED, changed=",".join(attributes))


def _event(change: Change, kind: SecurityEventType, **facts: str | int | None) -> SecurityEvent:
    # One write can lock both factors, so the factor is part of the id.
    name = "/".join([change.stream_event_id, kind, str(facts.get("factor", ""))])
    return SecurityEvent(
        type=kind,
        event_id=str(uuid.uuid5(_NAMESPACE, name)),
        user_id=change.user_id,
        occurred_at=change.written_at,
        request_id=change.request_id,
        facts=facts,
    )
