"""Lambda entry point of ``POST /auth/mfa/disable``."""

import os

from functions.disable_mfa.models import DisableResponse
from functions.disable_mfa.service import DisableService
from functions.shared.contract import DISABLE
from functions.shared.http import Request, endpoint
from functions.shared.request_body import SecondFactorRequest, parse_body
from functions.shared.second_factor import second_factor_from_environ
from functions.shared.settings import EndpointSettings

service = DisableService(second_factor_from_environ(os.environ))


@endpoint(DISABLE, EndpointSettings.from_environ(os.environ))
def lambda_handler(request: Request) -> DisableResponse:
    """Turn the second factor off.

    Deletes the secret and the backup codes. Being signed in is not enough: it takes exactly one of a TOTP code and a
    backup code.
    """
    return service.disable(request, parse_body(SecondFactorRequest, request.event))
