"""Lambda entry point of ``POST /auth/mfa/verify``."""

import os
import time
from collections.abc import Mapping

from functions.shared.clock import Clock
from functions.shared.http import LambdaHandler, Request, endpoint
from functions.shared.proof import prover_from_environ
from functions.shared.request_body import SecondFactorRequest
from functions.shared.second_factor import second_factor_from_environ
from functions.shared.settings import EndpointSettings
from functions.verify_mfa.models import VerifyResponse
from functions.verify_mfa.route import ROUTE
from functions.verify_mfa.service import verify


def create_handler(environ: Mapping[str, str], clock: Clock = time.time) -> LambdaHandler:
    """Return the route's handler, configured by environment variables."""
    second_factor = second_factor_from_environ(environ, clock)
    prover = prover_from_environ(environ, clock)

    @endpoint(ROUTE, EndpointSettings.from_environ(environ), clock)
    def handle(request: Request[SecondFactorRequest]) -> VerifyResponse:
        offered = request.body.offered_code()
        return verify(
            second_factor, prover, request.identity, offered, request_id=request.request_id, count=request.count
        )

    return handle


lambda_handler = create_handler(os.environ)
