"""Lambda entry point of ``POST /auth/mfa/setup``."""

import os

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.setup_mfa.models import SetupResponse
from functions.setup_mfa.repository import DynamoDbEnrolmentRepository
from functions.setup_mfa.service import SetupService
from functions.shared.contract import SETUP
from functions.shared.encryption import master_key
from functions.shared.http import Request, endpoint
from functions.shared.settings import EndpointSettings, read_encryption_key, read_mfa_issuer, read_table_name

service = SetupService(
    sealer=EnvelopeSealer(master_key(read_encryption_key(os.environ))),
    repository=DynamoDbEnrolmentRepository(read_table_name(os.environ)),
    issuer=read_mfa_issuer(os.environ),
)


@endpoint(SETUP, EndpointSettings.from_environ(os.environ))
def lambda_handler(request: Request) -> SetupResponse:
    """Start an enrolment.

    Makes a TOTP secret, keeps it sealed, and shows it this once: as text, and as a QR code for an authenticator app.
    Until it is confirmed nothing changes for the user. A second call replaces an enrolment that is still pending.

    The request has no body; one that is sent is ignored.
    """
    return service.enrol(request.identity)
