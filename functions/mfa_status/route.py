"""Declaration of ``GET /auth/mfa``."""

from functions.mfa_status.errors import ROUTE_ERRORS
from functions.mfa_status.models import StatusResponse
from functions.shared.contract import STATUS
from functions.shared.route import NoBody, Route

ROUTE = Route(
    endpoint=STATUS,
    summary="Get the user's MFA status",
    description="Returns whether a second factor is on or pending, how long TOTP codes are locked, and how many backup "
    "codes remain.",
    body=NoBody,
    response=StatusResponse,
    errors=ROUTE_ERRORS,
)
