"""Enrolment: create a TOTP secret, store it encrypted, show it once."""

import base64
import io
import os
import time

import png
import pyotp
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from functions.setup_mfa.encryption import Sealer
from functions.setup_mfa.models import KeyUri, SetupResponse
from functions.setup_mfa.repository import EnrolmentRepository, PendingEnrolment
from functions.shared.backup_codes import SALT_BYTES, BackupCodeKeys
from functions.shared.clock import Clock
from functions.shared.identity import Identity

#: 160 bits, as RFC 4226 section 4 recommends.
SECRET_LENGTH = 32
QUIET_ZONE_MODULES = 4
#: With eight pixels a module, every module is one byte of a 1-bit image row.
PIXELS_PER_MODULE = 8
#: One mask for all codes: scoring the eight masks takes four fifths of the time, and the chosen ones scan no better
#: (docs/adr/0070).
MASK_PATTERN = 7

_LIGHT, _DARK = b"\xff", b"\x00"


class SetupService:
    """Enrols users.

    Parameters
    ----------
    sealer : Sealer
        Encrypts the secret.
    repository : EnrolmentRepository
        Stores the enrolment.
    issuer : str
        The service's name in authenticator apps.
    clock : callable
        The current time in epoch seconds.
    """

    def __init__(
        self, *, sealer: Sealer, repository: EnrolmentRepository, issuer: str, clock: Clock = time.time
    ) -> None:
        self._sealer = sealer
        self._repository = repository
        self._issuer = issuer
        self._clock = clock

    def enrol(self, identity: Identity) -> SetupResponse:
        """Start an enrolment, replacing one that is still pending.

        The write comes last, so that nothing changes if an earlier step fails.

        Raises
        ------
        MfaAlreadyEnabledError
            The user's second factor is on.
        ServiceUnavailableError
            KMS or DynamoDB failed.
        """
        secret = pyotp.random_base32(SECRET_LENGTH)
        response = SetupResponse(
            secret=secret,
            qr_code=qr_code_data_uri(str(KeyUri(issuer=self._issuer, account=identity.label, secret=secret))),
        )
        salt = os.urandom(SALT_BYTES)
        keys = BackupCodeKeys.derive(secret=base64.b32decode(secret), salt=salt)
        self._repository.put_pending(
            PendingEnrolment(
                user_id=identity.user_id,
                sealed=self._sealer.seal(secret, user_id=identity.user_id),
                backup_code_hashes=keys.hashes(),
                backup_codes_salt=salt,
                created_at=self._clock(),
            )
        )
        return response


def qr_code_data_uri(text: str) -> str:
    """Return a QR code (error correction M, quiet zone 4) as the data URI of a 1-bit greyscale PNG."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE_MODULES, mask_pattern=MASK_PATTERN)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    size = len(matrix) * PIXELS_PER_MODULE
    rows = (
        row
        for modules in matrix
        for row in [b"".join(_DARK if dark else _LIGHT for dark in modules)] * PIXELS_PER_MODULE
    )
    image = io.BytesIO()
    png.Writer(width=size, height=size, greyscale=True, bitdepth=1).write_packed(image, rows)
    return "data:image/png;base64," + base64.b64encode(image.getvalue()).decode()
