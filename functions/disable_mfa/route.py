"""Declaration of ``POST /auth/mfa/disable``."""

from functions.disable_mfa.errors import ROUTE_ERRORS
from functions.disable_mfa.models import DisableResponse
from functions.shared.contract import DISABLE
from functions.shared.request_body import SecondFactorRequest
from functions.shared.route import Route

ROUTE = Route(
    endpoint=DISABLE,
    summary="Turn the second factor off",
    description="Deletes the secret and the backup codes. An access token is not enough: send exactly one of a TOTP "
    "code and a backup code.",
    body=SecondFactorRequest,
    response=DisableResponse,
    errors=ROUTE_ERRORS,
)
