"""Signatures with the private half of a KMS key pair, one ``Sign`` each. The private half never leaves KMS."""

from typing import TYPE_CHECKING, Final

from botocore.config import Config

from functions.shared.aws import CLIENT_CONFIG, create_client, fail_if_truncated, failing_closed
from functions.shared.contract import PROOF_KMS_ALGORITHM
from functions.shared.errors import ServiceUnavailableError
from functions.shared.settings import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient

#: The call, in the log of a failure.
SIGN: Final = "kms:Sign"
_CONNECT_SECONDS: Final = 0.25
_READ_SECONDS: Final = 0.5
#: The longest that a signature takes: two attempts. A request that loses a race waits longer (docs/adr/0092), so the
#: second one follows without the SDK's backoff of up to a second.
SIGNING_SECONDS: Final = 2 * (_CONNECT_SECONDS + _READ_SECONDS)
_CONFIG: Final = CLIENT_CONFIG.merge(
    Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
)


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
        self._client.meta.events.register("after-call.kms", fail_if_truncated)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message of at most 4096 bytes.

        Raises
        ------
        ServiceUnavailableError
            KMS refused, throttled, timed out or could not be reached, twice.
        """
        try:
            return self._sign(message)
        except ServiceUnavailableError:
            return self._sign(message)

    def _sign(self, message: bytes) -> bytes:
        with failing_closed(SIGN):
            response = self._client.sign(
                KeyId=self._arn,
                Message=message,
                MessageType="RAW",  # KMS hashes it
                SigningAlgorithm=PROOF_KMS_ALGORITHM,
            )
        return response["Signature"]
