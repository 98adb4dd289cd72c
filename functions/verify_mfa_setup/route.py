"""Declaration of ``POST /auth/mfa/verify-setup``."""

from functions.shared.contract import VERIFY_SETUP
from functions.shared.request_body import TotpRequest
from functions.shared.route import Route
from functions.verify_mfa_setup.errors import ROUTE_ERRORS
from functions.verify_mfa_setup.models import VerifySetupResponse

ROUTE = Route(
    endpoint=VERIFY_SETUP,
    summary="Confirm the pending enrolment",
    description="Takes the app's first code, turns the second factor on and shows the backup codes once. The code "
    "cannot be used again to log in.\n\n"
    "An enrolment can be confirmed for ten minutes. Ten wrong codes discard it.",
    body=TotpRequest,
    response=VerifySetupResponse,
    errors=ROUTE_ERRORS,
)
