"""Lambda entry point of ``POST /auth/mfa/verify-setup``."""

import os

from functions.shared.contract import VERIFY_SETUP
from functions.shared.decryption import EnvelopeOpener
from functions.shared.encryption import master_key
from functions.shared.http import Request, endpoint
from functions.shared.repository import DynamoDbMfaRepository
from functions.shared.request_body import TotpRequest, parse_body
from functions.shared.settings import EndpointSettings, read_encryption_key, read_table_name
from functions.verify_mfa_setup.models import VerifySetupResponse
from functions.verify_mfa_setup.service import VerifySetupService

service = VerifySetupService(
    repository=DynamoDbMfaRepository(read_table_name(os.environ)),
    opener=EnvelopeOpener(master_key(read_encryption_key(os.environ))),
)


@endpoint(VERIFY_SETUP, EndpointSettings.from_environ(os.environ))
def lambda_handler(request: Request) -> VerifySetupResponse:
    """Confirm the pending enrolment by its first code.

    Turns the second factor on and shows the backup codes, this once. The code used here does not log in as well.

    An enrolment can be confirmed for ten minutes. Ten wrong codes discard it.
    """
    return service.verify(request, parse_body(TotpRequest, request.event))
