"""Decryption of TOTP secrets, one ``Decrypt`` call each. Encryption is in ``functions.setup_mfa.encryption``."""

import base64
import binascii
import io
from typing import Final, Protocol

from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.key_providers.base import MasterKey
from cryptography.exceptions import InvalidTag

from functions.shared.aws import failing_closed
from functions.shared.encryption import SUITE, CiphertextRefusedError, encryption_context, sdk_client
from functions.shared.record import RecordDamagedError

#: More than any secret needs; a forged length must not make the SDK allocate memory.
_MAX_BODY_BYTES: Final = 256


class Opener(Protocol):
    """Decrypts secrets."""

    def open(self, message: str, *, user_id: str) -> str:
        """Return the base32 secret of one user."""
        ...


class EnvelopeOpener:
    """Decrypts Encryption SDK messages.

    Parameters
    ----------
    key : MasterKey
        The Encryption SDK's master key, see `functions.shared.encryption.master_key`.
    """

    def __init__(self, key: MasterKey) -> None:
        self._key = key

    def open(self, message: str, *, user_id: str) -> str:
        """Return the base32 secret in a message that was encrypted for this user.

        The SDK does not compare the encryption context with an expected one. This method does, after the header is
        authenticated and before the body is read.

        Parameters
        ----------
        message : str
            Base64, as stored.

        Raises
        ------
        RecordDamagedError
            The message was changed, or encrypted for another user or purpose.
        ServiceUnavailableError
            KMS refused, throttled, timed out or could not be reached.
        """
        try:
            with failing_closed("kms:Decrypt"):
                return self._open(_decoded(message), encryption_context(user_id))
        except _DAMAGED as error:
            raise RecordDamagedError from error

    def _open(self, message: bytes, context: dict[str, str]) -> str:
        source = io.BytesIO(message)
        stream = sdk_client.stream(
            mode="decrypt-unsigned", source=source, key_provider=self._key, max_body_length=_MAX_BODY_BYTES
        )
        try:
            if stream.header.encryption_context != context or stream.header.algorithm is not SUITE:
                raise RecordDamagedError
            plaintext: bytes = stream.read()
            if source.read(1):  # the SDK ignores what follows the message, and nothing authenticates it
                raise RecordDamagedError
            return plaintext.decode("ascii")
        finally:
            # Close it as a plain stream: the SDK's own close raises if not all was read, and again when finalised.
            io.IOBase.close(stream)


def _decoded(message: str) -> bytes:
    """Return decoded base64. Only the canonical form is accepted: decoding ignores some bits of the last character."""
    decoded = base64.b64decode(message, validate=True)
    if base64.b64encode(decoded) != message.encode():
        raise RecordDamagedError
    return decoded


# The effect of a changed byte depends on its place: the header does not parse, the key does not fit, the tag does not
# match. The SDK's parser lets Python's own errors through.
_DAMAGED: Final = (
    AWSEncryptionSDKClientError,
    CiphertextRefusedError,
    InvalidTag,
    binascii.Error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
)
