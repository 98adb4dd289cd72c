"""Lambda entry point of ``POST /auth/mfa/backup-codes``."""

import os
import time
from collections.abc import Mapping

from functions.regenerate_backup_codes.models import BackupCodesResponse
from functions.regenerate_backup_codes.route import ROUTE
from functions.regenerate_backup_codes.service import regenerate
from functions.shared.clock import Clock
from functions.shared.http import LambdaHandler, Request, endpoint
from functions.shared.request_body import TotpRequest
from functions.shared.second_factor import second_factor_from_environ
from functions.shared.settings import EndpointSettings


def create_handler(environ: Mapping[str, str], clock: Clock = time.time) -> LambdaHandler:
    """Return the route's handler, configured by environment variables."""
    second_factor = second_factor_from_environ(environ, clock)

    @endpoint(ROUTE, EndpointSettings.from_environ(environ), clock)
    def handle(request: Request[TotpRequest]) -> BackupCodesResponse:
        user_id, offered = request.identity.user_id, request.body.offered_code()
        return regenerate(second_factor, user_id, offered, request_id=request.request_id, count=request.count)

    return handle


lambda_handler = create_handler(os.environ)
