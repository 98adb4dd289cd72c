"""Lambda entry point of ``POST /auth/mfa/verify-setup``."""

import os
import time
from collections.abc import Mapping

from functions.shared.clock import Clock
from functions.shared.decryption import EnvelopeOpener
from functions.shared.encryption import master_key
from functions.shared.http import LambdaHandler, Request, endpoint
from functions.shared.proof import prover_from_environ
from functions.shared.repository import DynamoDbMfaRepository
from functions.shared.request_body import TotpRequest
from functions.shared.settings import EndpointSettings, read_encryption_key, read_table_name
from functions.verify_mfa_setup.models import VerifySetupResponse
from functions.verify_mfa_setup.route import ROUTE
from functions.verify_mfa_setup.service import VerifySetupService


def create_handler(environ: Mapping[str, str], clock: Clock = time.time) -> LambdaHandler:
    """Return the route's handler, configured by environment variables."""
    service = VerifySetupService(
        repository=DynamoDbMfaRepository(read_table_name(environ)),
        opener=EnvelopeOpener(master_key(read_encryption_key(environ))),
        prover=prover_from_environ(environ, clock),
        clock=clock,
    )

    @endpoint(ROUTE, EndpointSettings.from_environ(environ), clock)
    def handle(request: Request[TotpRequest]) -> VerifySetupResponse:
        return service.verify(request.identity, request.body.code, request_id=request.request_id, count=request.count)

    return handle


lambda_handler = create_handler(os.environ)
