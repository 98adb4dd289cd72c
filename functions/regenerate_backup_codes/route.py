"""Declaration of ``POST /auth/mfa/backup-codes``."""

from functions.regenerate_backup_codes.errors import ROUTE_ERRORS
from functions.regenerate_backup_codes.models import BackupCodesResponse
from functions.shared.contract import BACKUP_CODES
from functions.shared.request_body import TotpRequest
from functions.shared.route import Route

ROUTE = Route(
    endpoint=BACKUP_CODES,
    summary="Replace the backup codes",
    description="Creates eight new backup codes and shows them once. All older codes, used or not, stop working. It "
    "takes a TOTP code; a backup code is not accepted here.",
    body=TotpRequest,
    response=BackupCodesResponse,
    errors=ROUTE_ERRORS,
)
