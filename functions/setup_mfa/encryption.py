"""Encryption of TOTP secrets: envelope encryption by the AWS Encryption SDK, one ``GenerateDataKey`` for each secret.

Nothing here decrypts: the role of this function may only ask KMS for data keys.
"""

import base64
from dataclasses import dataclass
from typing import Protocol

from aws_encryption_sdk.identifiers import ContentType
from aws_encryption_sdk.key_providers.base import MasterKey

from functions.shared.aws import failing_closed
from functions.shared.encryption import SUITE, encryption_context, sdk_client


@dataclass(frozen=True)
class SealedSecret:
    """An encrypted secret, as it is stored.

    Attributes
    ----------
    message : str
        Base64 of the Encryption SDK message: data key encrypted by KMS, context, body.
    iv : str
        Base64 of the 12-byte IV that AES-GCM used for the body. Under this suite it is a constant counter, which is
        safe because every message has its own key. It is informative only; decryption reads the IV in the message.
    """

    message: str
    iv: str


class Sealer(Protocol):
    """Encrypts secrets."""

    def seal(self, secret: str, *, user_id: str) -> SealedSecret:
        """Return the secret encrypted for one user."""
        ...


class EnvelopeSealer:
    """Encrypts each secret with its own data key.

    Parameters
    ----------
    key : MasterKey
        The Encryption SDK's master key, see `functions.shared.encryption.master_key`.
    """

    def __init__(self, key: MasterKey) -> None:
        self._key = key

    def seal(self, secret: str, *, user_id: str) -> SealedSecret:
        """Return a base32 secret encrypted so that it decrypts only for the same user.

        Raises
        ------
        ServiceUnavailableError
            KMS refused, throttled, timed out or could not be reached.
        """
        plaintext = secret.encode("ascii")
        with failing_closed("kms:GenerateDataKey"):
            message, header = sdk_client.encrypt(
                source=plaintext,
                key_provider=self._key,
                encryption_context=encryption_context(user_id),
                algorithm=SUITE,
                frame_length=0,
            )
        if header.algorithm is not SUITE or header.content_type is not ContentType.NO_FRAMING:
            raise RuntimeError("the Encryption SDK chose another message format")
        # An unframed message ends with its body: IV, 8 bytes of length, ciphertext, tag.
        body = SUITE.iv_len + 8 + len(plaintext) + SUITE.tag_len
        iv = message[-body:][: SUITE.iv_len]
        return SealedSecret(message=base64.b64encode(message).decode(), iv=base64.b64encode(iv).decode())
