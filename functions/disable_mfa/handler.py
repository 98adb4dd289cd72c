"""Lambda entry point of ``POST /auth/mfa/disable``."""

import os
import time
from collections.abc import Mapping

from functions.disable_mfa.models import DisableResponse
from functions.disable_mfa.route import ROUTE
from functions.disable_mfa.service import disable
from functions.shared.clock import Clock
from functions.shared.http import LambdaHandler, Request, endpoint
from functions.shared.request_body import SecondFactorRequest
from functions.shared.second_factor import second_factor_from_environ
from functions.shared.settings import EndpointSettings


def create_handler(environ: Mapping[str, str], clock: Clock = time.time) -> LambdaHandler:
    """Return the route's handler, configured by environment variables."""
    second_factor = second_factor_from_environ(environ, clock)

    @endpoint(ROUTE, EndpointSettings.from_environ(environ), clock)
    def handle(request: Request[SecondFactorRequest]) -> DisableResponse:
        user_id, offered = request.identity.user_id, request.body.offered_code()
        return disable(second_factor, user_id, offered, request_id=request.request_id, count=request.count)

    return handle


lambda_handler = create_handler(os.environ)
