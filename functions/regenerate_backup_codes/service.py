"""New backup codes: each new set uses a new salt, and the older codes stop working."""

import os
from dataclasses import replace

from functions.regenerate_backup_codes.models import BackupCodesResponse
from functions.shared.backup_codes import SALT_BYTES
from functions.shared.record import MfaRecord
from functions.shared.request_body import OfferedCode
from functions.shared.second_factor import Count, SecondFactor, backup_code_keys


class RegenerateService:
    """Replaces backup codes.

    Parameters
    ----------
    second_factor : SecondFactor
        The check.
    """

    def __init__(self, second_factor: SecondFactor) -> None:
        self._second_factor = second_factor

    def regenerate(self, user_id: str, offered: OfferedCode, *, request_id: str, count: Count) -> BackupCodesResponse:
        """Replace the user's backup codes.

        Raises
        ------
        ApiError
            See `SecondFactor.require`.
        """
        salt = os.urandom(SALT_BYTES)
        codes: list[str] = []

        def replace_codes(record: MfaRecord, secret: str) -> MfaRecord:
            keys = backup_code_keys(secret, salt)
            codes.extend(keys.codes())
            return replace(record, backup_codes=tuple(keys.hashes()), backup_codes_used=(), backup_codes_salt=salt)

        self._second_factor.require(user_id, offered, replace_codes, request_id=request_id, count=count)
        return BackupCodesResponse(backup_codes=codes, backup_codes_remaining=len(codes))
