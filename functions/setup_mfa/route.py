"""Declaration of ``POST /auth/mfa/setup``."""

from functions.setup_mfa.errors import ROUTE_ERRORS
from functions.setup_mfa.models import SetupResponse
from functions.shared.contract import SETUP
from functions.shared.route import NoBody, Route

ROUTE = Route(
    endpoint=SETUP,
    summary="Start an enrolment",
    description="Creates a TOTP secret, stores it encrypted, and shows it once: as text, and as a QR code for an "
    "authenticator app. Nothing changes for the user until the enrolment is confirmed. A second call replaces an "
    "enrolment that is still pending.\n\n"
    "The request has no body; one that is sent is ignored.",
    body=NoBody,
    response=SetupResponse,
    errors=ROUTE_ERRORS,
)
