"""A user's item in the table: its meaning in Python, and its form in DynamoDB."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from functions.shared.clock import epoch_from_iso, iso_timestamp
from functions.shared.contract import Attribute, Status
from functions.shared.lockout import Failures

type Item = Mapping[str, Mapping[str, Any]]
"""An item as the DynamoDB API has it: each value under its type, ``{"S": "text"}``."""


class RecordDamagedError(Exception):
    """A stored item is not what the service writes. Nothing of its values is in the message."""


# Python imports its parser of times when it first parses one: at start-up, not within a request (docs/adr/0072).
epoch_from_iso("1970-01-01T00:00:00Z")


@dataclass(frozen=True, kw_only=True)
class MfaRecord:
    """The state of one user's second factor. Times are epoch seconds; None and 0 are absent attributes.

    An item without ``status`` counts as enabled; one without ``encrypted_secret`` was discarded.
    """

    user_id: str
    status: Status
    encrypted_secret: str | None
    backup_codes: tuple[str, ...]
    backup_codes_used: tuple[str, ...]
    backup_codes_salt: bytes | None
    version: int | None
    iv: str | None = None
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
        """Whether an enrolment waits for its first code."""
        return not self.enabled and self.encrypted_secret is not None and now < (self.expires_at or 0)

    @property
    def totp_failures(self) -> Failures:
        """The consecutive wrong TOTP codes."""
        return Failures(self.failed_attempts, self.last_failed_at)

    @property
    def backup_failures(self) -> Failures:
        """The consecutive wrong backup codes."""
        return Failures(self.backup_failed_attempts, self.backup_last_failed_at)


def record_from_item(user_id: str, item: Item) -> MfaRecord:
    """Return the record of a stored item.

    Raises
    ------
    RecordDamagedError
        An attribute has another type or form than the service writes.
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


_TIMES: Final = frozenset({Attribute.ENABLED_AT, Attribute.LAST_FAILED_AT, Attribute.BACKUP_LAST_FAILED_AT})


def attribute_value(name: Attribute, value: object) -> dict[str, Any] | None:
    """Return a field's value in DynamoDB's form, or None where the attribute is to be absent."""
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
    """Return the attributes in which two records differ, with their new values; None removes one."""
    return {
        Attribute(field.name): attribute_value(Attribute(field.name), getattr(new, field.name))
        for field in fields(MfaRecord)
        if field.name != "user_id" and getattr(old, field.name) != getattr(new, field.name)
    }
