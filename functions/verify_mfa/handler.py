"""Lambda entry point of ``POST /auth/mfa/verify``."""

import os

from functions.shared.contract import VERIFY
from functions.shared.http import Request, endpoint
from functions.shared.request_body import SecondFactorRequest, parse_body
from functions.shared.second_factor import second_factor_from_environ
from functions.shared.settings import EndpointSettings
from functions.verify_mfa.models import VerifyResponse
from functions.verify_mfa.service import VerifyService

service = VerifyService(second_factor_from_environ(os.environ))


@endpoint(VERIFY, EndpointSettings.from_environ(os.environ))
def lambda_handler(request: Request) -> VerifyResponse:
    """Prove the second factor at login.

    Takes exactly one of a TOTP code and a backup code. A TOTP code is accepted one time step (30 s) before and after
    its own, and once: a code at or before the step accepted last is refused. A backup code is good once.

    Five wrong codes in a row lock their kind of factor for a minute, each further one for twice as long. TOTP codes
    and backup codes are counted and locked apart.
    """
    return service.verify(request, parse_body(SecondFactorRequest, request.event))
