"""New backup codes: each new set uses a new salt, and the older codes stop working."""

import os
from dataclasses import replace

from functions.regenerate_backup_codes.models import BackupCodesResponse
from functions.shared.backup_codes import SALT_BYTES
from functions.shared.record import MfaRecord
from functions.shared.request_body import OfferedCode
from functions.shared.second_factor import Count, SecondFactor, backup_code_keys


def regenerate(
    second_factor: SecondFactor, user_id: str, offered: OfferedCode, *, request_id: str, count: Count
) -> BackupCodesResponse:
    """Replace the user's backup codes. For the errors see `SecondFactor.require`."""
    salt = os.urandom(SALT_BYTES)
    codes: list[str] = []
    hashes: list[str] = []

    def derive_codes(secret: str) -> None:
        keys = backup_code_keys(secret, salt)
        codes.extend(keys.codes())
        hashes.extend(map(keys.hash, codes))

    def replace_codes(record: MfaRecord, _secret: str) -> MfaRecord:
        return replace(record, backup_codes=tuple(hashes), backup_codes_used=(), backup_codes_salt=salt)

    second_factor.require(user_id, offered, replace_codes, request_id=request_id, count=count, prepare=derive_codes)
    return BackupCodesResponse(backup_codes=codes, backup_codes_remaining=len(codes))
