"""A user's item in the table: as a Python object, and in DynamoDB's form."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

from functions.shared.clock import epoch_from_iso, iso_timestamp
from functions.shared.contract import Attribute, Factor, Status
from functions.shared.lockout import Failures

type Item = Mapping[str, Mapping[str, Any]]
"""An item in the form of the DynamoDB API: each value under its type, ``{"S": "text"}``."""


class RecordDamagedError(Exception):
    """A stored item does not have the form that the service writes. The message contains none of its values."""


# Python imports its time parser when it first parses a time: do it at start-up, not in a request (docs/adr/0072).
epoch_from_iso("1970-01-01T00:00:00Z")


@dataclass(frozen=True, kw_only=True)
class MfaRecord:
    """The state of one user's second factor. Times are epoch seconds; None and 0 stand for absent attributes.

    An item without ``status`` counts as enabled; one without ``encrypted_secret`` is a discarded enrolment.
    """

    user_id: str
    status: Status
    encrypted_secret: str | None
    backup_codes: tuple[str, ...]
    backup_codes_used: tuple[str, ...]
    backup_codes_salt: bytes | None
    version: int | None
    iv: str | None = None
    updated_at: int | None = None
    enabled_at: int | None = None
    expires_at: int | None = None
    last_used_step: int | None = None
    failed_attempts: int = 0
    last_failed_at: int | None = None
    backup_failed_attempts: int = 0
    backup_last_failed_at: int | None = None

    @property
    def enabled(self) -> bool:
        """Whether the second factor is on."""
        return self.status is Status.ENABLED

    def pending_at(self, now: float) -> bool:
        """Return whether an enrolment is waiting for its first code."""
        return not self.enabled and self.encrypted_secret is not None and now < (self.expires_at or 0)

    def failures(self, factor: Factor) -> Failures:
        """Return the consecutive wrong codes of a factor."""
        if factor is Factor.TOTP:
            return Failures(self.failed_attempts, self.last_failed_at)
        return Failures(self.backup_failed_attempts, self.backup_last_failed_at)

    def with_failures(self, factor: Factor, failures: Failures) -> Self:
        """Return a copy with other consecutive wrong codes of a factor."""
        if factor is Factor.TOTP:
            return replace(self, failed_attempts=failures.count, last_failed_at=failures.last_at)
        return replace(self, backup_failed_attempts=failures.count, backup_last_failed_at=failures.last_at)


def record_from_item(user_id: str, item: Item) -> MfaRecord:
    """Return the record of a stored item.

    Raises
    ------
    RecordDamagedError
        An attribute has a type or form that the service never writes.
    """
    try:
        salt = _text(item, Attribute.BACKUP_CODES_SALT)
        return MfaRecord(
            user_id=user_id,
            status=Status(_text(item, Attribute.STATUS) or Status.ENABLED),
            encrypted_secret=_text(item, Attribute.ENCRYPTED_SECRET),
            iv=_text(item, Attribute.IV),
            backup_codes=_texts(item, Attribute.BACKUP_CODES),
            backup_codes_used=_texts(item, Attribute.BACKUP_CODES_USED),
            backup_codes_salt=None if salt is None else base64.b64decode(salt, validate=True),
            version=_number(item, Attribute.VERSION),
            updated_at=_time_if_readable(item, Attribute.UPDATED_AT),
            enabled_at=_time(item, Attribute.ENABLED_AT),
            expires_at=_number(item, Attribute.EXPIRES_AT),
            last_used_step=_number(item, Attribute.LAST_USED_STEP),
            failed_attempts=_number(item, Attribute.FAILED_ATTEMPTS) or 0,
            last_failed_at=_time(item, Attribute.LAST_FAILED_AT),
            backup_failed_attempts=_number(item, Attribute.BACKUP_FAILED_ATTEMPTS) or 0,
            backup_last_failed_at=_time(item, Attribute.BACKUP_LAST_FAILED_AT),
        )
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise RecordDamagedError from error


def _text(item: Item, name: Attribute) -> str | None:
    return str(item[name]["S"]) if name in item else None


def _texts(item: Item, name: Attribute) -> tuple[str, ...]:
    return tuple(str(element["S"]) for element in item[name]["L"]) if name in item else ()


def _number(item: Item, name: Attribute) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _time(item: Item, name: Attribute) -> int | None:
    text = _text(item, name)
    return None if text is None else epoch_from_iso(text)


def _time_if_readable(item: Item, name: Attribute) -> int | None:
    """Return a time, or None for one that an older deployment wrote in another form."""
    try:
        return _time(item, name)
    except (KeyError, TypeError, ValueError):
        return None


_TIMES: Final = frozenset(
    {Attribute.UPDATED_AT, Attribute.ENABLED_AT, Attribute.LAST_FAILED_AT, Attribute.BACKUP_LAST_FAILED_AT}
)


def attribute_value(name: Attribute, value: object) -> dict[str, Any] | None:
    """Return a field's value in DynamoDB's form, or None if the attribute must be absent."""
    match value:
        case None:
            return None
        case int() if name in _TIMES:
            return {"S": iso_timestamp(value)}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"S": base64.b64encode(value).decode()}
        case tuple():
            return {"L": [{"S": str(element)} for element in value]}
        case _:
            return {"S": str(value)}


def changed_attributes(old: MfaRecord, new: MfaRecord) -> dict[Attribute, dict[str, Any] | None]:
    """Return the attributes in which two records differ, with their new values; None removes an attribute."""
    return {
        Attribute(field.name): attribute_value(Attribute(field.name), getattr(new, field.name))
        for field in fields(MfaRecord)
        if field.name != "user_id" and getattr(old, field.name) != getattr(new, field.name)
    }
