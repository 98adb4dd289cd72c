"""Sealing of TOTP secrets: envelope encryption by the AWS Encryption SDK, one ``GenerateDataKey`` each.

There is no opening here, and the function's role could not: it may ask KMS for data keys and nothing else.
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
    """A sealed secret as it is stored.

    Attributes
    ----------
    message : str
        Base64 of the Encryption SDK message: data key encrypted by KMS, context, body.
    iv : str
        Base64 of the 12-byte IV that AES-GCM used for the body. Under this suite it is a constant counter, safe
        because every message has a key of its own; kept for the reader of the item, opening takes it from the message.
    """

    message: str
    iv: str


class Sealer(Protocol):
    """Seals a secret for one user."""

    def seal(self, secret: str, *, user_id: str) -> SealedSecret:
        """Return the sealed secret."""
        ...


class EnvelopeSealer:
    """Seals with a data key of its own for each secret.

    Parameters
    ----------
    key : MasterKey
        The Encryption SDK's master key, see `functions.shared.encryption.master_key`.
    """

    def __init__(self, key: MasterKey) -> None:
        self._key = key

    def seal(self, secret: str, *, user_id: str) -> SealedSecret:
        """Seal a base32 secret so that it opens only for the same user.

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
        # An unframed body ends the message: IV, 8 bytes of length, ciphertext, tag.
        body = SUITE.iv_len + 8 + len(plaintext) + SUITE.tag_len
        iv = message[-body:][: SUITE.iv_len]
        return SealedSecret(message=base64.b64encode(message).decode(), iv=base64.b64encode(iv).decode())
