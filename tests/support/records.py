"""Records for tests of what works on them, and a repository in memory."""

import base64
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from functions.shared.backup_codes import SALT_BYTES, BackupCodeKeys
from functions.shared.contract import Attribute, Status
from functions.shared.errors import ConflictError
from functions.shared.record import MfaRecord, attribute_value
from functions.shared.version import new_version

SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SALT: Final = bytes(SALT_BYTES)
KEYS: Final = BackupCodeKeys.derive(secret=base64.b32decode(SECRET), salt=SALT)
NOW: Final = 1_800_000_015


def record(**changes: Any) -> MfaRecord:
    """Return the record of user-1, whose second factor is on."""
    enabled = MfaRecord(
        user_id="user-1",
        status=Status.ENABLED,
        encrypted_secret="c2VjcmV0",
        iv="AAAAAAAAAAAAAAAB",
        backup_codes=tuple(KEYS.hashes()),
        backup_codes_used=(),
        backup_codes_salt=SALT,
        version=1000,
        enabled_at=NOW - 3600,
        last_used_step=NOW // 30 - 120,
    )
    return replace(enabled, **changes)


def pending(**changes: Any) -> MfaRecord:
    """Return the record of user-1, whose enrolment is pending."""
    waiting: dict[str, Any] = {"status": Status.PENDING, "enabled_at": None, "last_used_step": None}
    return record(**{**waiting, "expires_at": NOW + 600, **changes})


def attributes(stored: MfaRecord) -> dict[str, Any]:
    """Return a record's attributes in DynamoDB's form, without the keys."""
    values = {
        field.name: attribute_value(Attribute(field.name), getattr(stored, field.name))
        for field in fields(stored)
        if field.name != "user_id"
    }
    return {name: value for name, value in values.items() if value is not None}


@dataclass
class MemoryRepository:
    """An `MfaRepository` in memory; ``request_ids`` are those of its writes."""

    records: dict[str, MfaRecord] = field(default_factory=dict)
    request_ids: list[str] = field(default_factory=list)

    def store(self, stored: MfaRecord) -> None:
        self.records[stored.user_id] = stored

    def get(self, user_id: str) -> MfaRecord | None:
        return self.records.get(user_id)

    def swap(self, old: MfaRecord, new: MfaRecord, *, request_id: str, now: float) -> MfaRecord:
        if self.records.get(old.user_id) != old or not (old.enabled or old.pending_at(now)):
            raise ConflictError
        self.request_ids.append(request_id)
        self.records[old.user_id] = replace(new, version=new_version(), updated_at=int(now))
        return self.records[old.user_id]

    def remove(self, old: MfaRecord) -> None:
        if self.records.get(old.user_id) != old:
            raise ConflictError
        del self.records[old.user_id]
