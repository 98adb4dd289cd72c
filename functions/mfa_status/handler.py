"""Lambda entry point of ``GET /auth/mfa``."""

import os

from functions.mfa_status.models import StatusResponse
from functions.mfa_status.service import StatusService
from functions.shared.contract import STATUS
from functions.shared.http import Request, endpoint
from functions.shared.repository import DynamoDbMfaRepository
from functions.shared.settings import EndpointSettings, read_table_name

service = StatusService(repository=DynamoDbMfaRepository(read_table_name(os.environ)))


@endpoint(STATUS, EndpointSettings.from_environ(os.environ))
def lambda_handler(request: Request) -> StatusResponse:
    """Tell where the user stands.

    Whether a second factor is on or pending, until when TOTP codes are locked, and how many backup codes are left.
    """
    return service.status(request.identity.user_id)
