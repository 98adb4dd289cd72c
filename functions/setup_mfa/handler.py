"""Lambda entry point of ``POST /auth/mfa/setup``."""

import os
import time
from collections.abc import Mapping

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.setup_mfa.models import SetupResponse
from functions.setup_mfa.repository import DynamoDbEnrolmentRepository
from functions.setup_mfa.route import ROUTE
from functions.setup_mfa.service import SetupService
from functions.shared.clock import Clock
from functions.shared.encryption import master_key
from functions.shared.http import LambdaHandler, Request, endpoint
from functions.shared.route import NoBody
from functions.shared.settings import EndpointSettings, read_encryption_key, read_mfa_issuer, read_table_name


def create_handler(environ: Mapping[str, str], clock: Clock = time.time) -> LambdaHandler:
    """Return the route's handler, configured by environment variables."""
    service = SetupService(
        sealer=EnvelopeSealer(master_key(read_encryption_key(environ))),
        repository=DynamoDbEnrolmentRepository(read_table_name(environ)),
        issuer=read_mfa_issuer(environ),
        clock=clock,
    )

    @endpoint(ROUTE, EndpointSettings.from_environ(environ), clock)
    def handle(request: Request[NoBody]) -> SetupResponse:
        return service.enrol(request.identity)

    return handle


lambda_handler = create_handler(os.environ)
