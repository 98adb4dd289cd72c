"""Lambda entry point of ``POST /auth/mfa/backup-codes``."""

import os

from functions.regenerate_backup_codes.models import BackupCodesResponse
from functions.regenerate_backup_codes.service import RegenerateService
from functions.shared.contract import BACKUP_CODES
from functions.shared.http import Request, endpoint
from functions.shared.request_body import TotpRequest, parse_body
from functions.shared.second_factor import second_factor_from_environ
from functions.shared.settings import EndpointSettings

service = RegenerateService(second_factor_from_environ(os.environ))


@endpoint(BACKUP_CODES, EndpointSettings.from_environ(os.environ))
def lambda_handler(request: Request) -> BackupCodesResponse:
    """Replace the backup codes.

    Makes eight new ones and shows them, this once. All old ones, used or not, are worth nothing from then on. It
    takes a TOTP code: a backup code cannot make new ones.
    """
    return service.regenerate(request, parse_body(TotpRequest, request.event))
