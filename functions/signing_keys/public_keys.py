"""The public halves of KMS key pairs, one ``GetPublicKey`` call each for the life of the process."""

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from functions.shared.aws import create_client, failing_closed, retry_truncated_responses
from functions.shared.contract import PROOF_ALGORITHM
from functions.shared.settings import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient

#: KMS's answers for a key that was deleted, is to be deleted, or that the role may no longer read.
_GONE: Final = frozenset(
    {"NotFoundException", "KMSInvalidStateException", "DisabledException", "AccessDeniedException"}
)


class KmsPublicKeys:
    """The keys that verify proofs, as JSON Web Keys.

    Parameters
    ----------
    keys : sequence of KmsKey
        The key that signs, then the others of a rotation.
    """

    def __init__(self, keys: Sequence[KmsKey]) -> None:
        self._keys = keys
        self._known: dict[KmsKey, Mapping[str, str]] = {}
        self._client: KMSClient = create_client("kms", region=keys[0].region)
        retry_truncated_responses(self._client, "kms")

    def published(self) -> tuple[Mapping[str, str], ...]:
        """Return the public keys (RFC 7517, RFC 7518 section 6.3.1), the one that signs first.

        A key that no longer exists is left out, unless it is the one that signs: the last step of a rotation removes a
        key while older versions of the function still list it.

        Raises
        ------
        ServiceUnavailableError
            KMS refused, throttled, timed out or could not be reached.
        """
        signing, *others = self._keys
        found = [self._jwk(signing), *(self._jwk_unless_gone(key) for key in others)]
        return tuple(jwk for jwk in found if jwk is not None)

    def _jwk(self, key: KmsKey) -> Mapping[str, str]:
        with failing_closed("kms:GetPublicKey"):
            return self._fetched(key)

    def _jwk_unless_gone(self, key: KmsKey) -> Mapping[str, str] | None:
        with failing_closed("kms:GetPublicKey"):
            try:
                return self._fetched(key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _GONE:
                    return None
                raise

    def _fetched(self, key: KmsKey) -> Mapping[str, str]:
        if key not in self._known:
            self._known[key] = _json_web_key(key.key_id, self._client.get_public_key(KeyId=key.arn)["PublicKey"])
        return self._known[key]


def _json_web_key(key_id: str, der: bytes) -> Mapping[str, str]:
    """Return the JWK of a public key that KMS returned: a DER-encoded SubjectPublicKeyInfo (RFC 5280)."""
    public = load_der_public_key(der)
    if not isinstance(public, RSAPublicKey):
        raise TypeError("the key is not an RSA key")
    numbers = public.public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": PROOF_ALGORITHM,
        "kid": key_id,
        "n": _base64url_uint(numbers.n),
        "e": _base64url_uint(numbers.e),
    }


def _base64url_uint(number: int) -> str:
    """Return a number as RFC 7518 section 2 encodes it."""
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()
