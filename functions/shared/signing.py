"""Signatures with the private half of a KMS key pair, one ``Sign`` call each. The private half never leaves KMS."""

from typing import TYPE_CHECKING, Final

from botocore.config import Config

from functions.shared.aws import CLIENT_CONFIG, create_client, failing_closed, retry_truncated_responses
from functions.shared.contract import PROOF_KMS_ALGORITHM
from functions.shared.settings import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient

#: Two attempts and a backoff take at most 4 s, so that four calls of a request end within the functions' timeout.
_CONFIG: Final = CLIENT_CONFIG.merge(Config(read_timeout=1.0))


class KmsSigner:
    """Signs with RSASSA-PKCS1-v1_5 and SHA-256 (RS256 of RFC 7518 section 3.3).

    Parameters
    ----------
    key : KmsKey
        The key pair.

    Attributes
    ----------
    key_id : str
        The key's id: the ``kid`` under which its public half is published (docs/adr/0009).
    """

    def __init__(self, key: KmsKey) -> None:
        self.key_id: Final = key.key_id
        self._arn = key.arn
        self._client: KMSClient = create_client("kms", region=key.region, config=_CONFIG)
        retry_truncated_responses(self._client, "kms")

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message of at most 4096 bytes.

        Raises
        ------
        ServiceUnavailableError
            KMS refused, throttled, timed out or could not be reached.
        """
        with failing_closed("kms:Sign"):
            response = self._client.sign(
                KeyId=self._arn,
                Message=message,
                MessageType="RAW",  # KMS hashes it
                SigningAlgorithm=PROOF_KMS_ALGORITHM,
            )
        return response["Signature"]
