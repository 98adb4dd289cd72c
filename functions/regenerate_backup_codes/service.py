"""New backup codes: a new salt, and with it a new set; the old ones are worth nothing from then on."""

import os
from dataclasses import replace

from functions.regenerate_backup_codes.models import BackupCodesResponse
from functions.shared.backup_codes import SALT_BYTES
from functions.shared.http import Request
from functions.shared.record import MfaRecord
from functions.shared.request_body import TotpRequest
from functions.shared.second_factor import SecondFactor, backup_code_keys


class RegenerateService:
    """Makes new backup codes.

    Parameters
    ----------
    second_factor : SecondFactor
        The check. Only a TOTP code passes here: a backup code cannot make new ones.
    """

    def __init__(self, second_factor: SecondFactor) -> None:
        self._second_factor = second_factor

    def regenerate(self, request: Request, body: TotpRequest) -> BackupCodesResponse:
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

        self._second_factor.require(request, body.proof(), replace_codes)
        return BackupCodesResponse(backup_codes=codes, backup_codes_remaining=len(codes))
