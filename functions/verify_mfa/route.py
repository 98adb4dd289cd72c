"""Declaration of ``POST /auth/mfa/verify``."""

from functions.shared.contract import VERIFY
from functions.shared.request_body import SecondFactorRequest
from functions.shared.route import Route
from functions.verify_mfa.errors import ROUTE_ERRORS
from functions.verify_mfa.models import VerifyResponse

ROUTE = Route(
    endpoint=VERIFY,
    summary="Prove the second factor at login",
    description="Takes exactly one of a TOTP code and a backup code. A TOTP code is accepted one time step (30 s) "
    "before and after its own, and only once: a code of the last accepted step or an earlier one is refused. A backup "
    "code is valid once.\n\n"
    "Five wrong codes in a row lock a factor for a minute, and each further wrong code locks it for twice as long. "
    "TOTP codes and backup codes are counted and locked separately.",
    body=SecondFactorRequest,
    response=VerifyResponse,
    errors=ROUTE_ERRORS,
)
