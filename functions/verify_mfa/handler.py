"""Lambda entry point of ``POST /auth/mfa/verify``."""

import os

from functions.shared.config import EndpointSettings
from functions.shared.contract import VERIFY
from functions.shared.http import Request, endpoint
from functions.shared.proof import SecondFactorRequest, parse_body
from functions.shared.second_factor import second_factor_from_environ
from functions.verify_mfa.models import VerifyResponse
from functions.verify_mfa.service import VerifyService

service = VerifyService(second_factor_from_environ(os.environ))


@endpoint(VERIFY, EndpointSettings.from_environ(os.environ))
def lambda_handler(request: Request) -> VerifyResponse:
    """Check the caller's TOTP code or backup code."""
    return service.verify(request, parse_body(SecondFactorRequest, request.event))
