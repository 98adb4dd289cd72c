"""Lambda entry point of ``GET /auth/mfa``."""

import os
import time
from collections.abc import Mapping

from functions.mfa_status.models import StatusResponse
from functions.mfa_status.route import ROUTE
from functions.mfa_status.service import StatusService
from functions.shared.clock import Clock
from functions.shared.http import LambdaHandler, Request, endpoint
from functions.shared.repository import DynamoDbMfaRepository
from functions.shared.route import NoBody
from functions.shared.settings import EndpointSettings, read_table_name


def create_handler(environ: Mapping[str, str], clock: Clock = time.time) -> LambdaHandler:
    """Return the route's handler, configured by environment variables."""
    service = StatusService(repository=DynamoDbMfaRepository(read_table_name(environ)), clock=clock)

    @endpoint(ROUTE, EndpointSettings.from_environ(environ), clock)
    def handle(request: Request[NoBody]) -> StatusResponse:
        return service.status(request.identity.user_id)

    return handle


lambda_handler = create_handler(os.environ)
