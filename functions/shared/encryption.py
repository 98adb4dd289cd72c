"""What encryption and decryption of TOTP secrets share: the key, the algorithm suite, the encryption context.

Encryption is in ``functions.setup_mfa.encryption`` and decryption in ``functions.shared.decryption``. The permissions
are split in the same way: the function that encrypts cannot decrypt, and those that decrypt cannot encrypt.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - docs/adr/0072: the first request would import it
from aws_encryption_sdk import EncryptionSDKClient
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey  # the SDK has no public path to raw keys
from aws_encryption_sdk.key_providers.base import MasterKey
from aws_encryption_sdk.key_providers.kms import MRKAwareKMSMasterKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from botocore.model import OperationModel

from functions.shared.aws import create_client, retry_truncated_responses
from functions.shared.contract import ENCRYPTION_CONTEXT_PURPOSE, ENCRYPTION_CONTEXT_USER_ID, SECRET_PURPOSE
from functions.shared.errors import ServiceUnavailableError
from functions.shared.settings import KmsKey, RawKey

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient

# The SDK logs a traceback for every failed call. We log failures ourselves, without values.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL + 1)

#: AES-256-GCM with key derivation and commitment, unsigned: the same key encrypts and decrypts, so a signature would
#: only add 96 bytes and milliseconds.
SUITE: Final = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY

sdk_client: Final = EncryptionSDKClient(
    commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
)


class CiphertextRefusedError(Exception):
    """KMS did not encrypt the ciphertext with this key for this user: the stored item is damaged."""


def encryption_context(user_id: str) -> dict[str, str]:
    """Return the context that binds a secret to its user and purpose. It is stored unencrypted."""
    return {ENCRYPTION_CONTEXT_USER_ID: user_id, ENCRYPTION_CONTEXT_PURPOSE: SECRET_PURPOSE}


def master_key(key: KmsKey | RawKey, client: "KMSClient | None" = None) -> MasterKey:
    """Return the Encryption SDK's master key for a configured key.

    Parameters
    ----------
    client : KMSClient
        A client for the key's region; by default a new one for the life of the process.
    """
    if isinstance(key, RawKey):
        wrapping_key = WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
            wrapping_key=key.key,
            wrapping_key_type=EncryptionKeyType.SYMMETRIC,
        )
        return RawMasterKey(provider_id="mfa-development", key_id="raw", wrapping_key=wrapping_key)
    client = client or create_client("kms", region=key.region)
    client.meta.events.register("after-call.kms", _raise_failure)
    retry_truncated_responses(client, "kms")
    # A replica of a multi-region key decrypts what the primary encrypted. Other keys behave as with KMSMasterKey.
    return MRKAwareKMSMasterKey(key_id=key.arn, client=client)


def _raise_failure(parsed: Mapping[str, Any], model: OperationModel, **_: object) -> None:
    """Raise our own error for a failed KMS call, from within the client.

    The Encryption SDK hides botocore's error. It only reports that no key could decrypt, so that a throttled call and
    a forged ciphertext would look the same.
    """
    if "Error" not in parsed:
        return
    code = str(parsed["Error"].get("Code", "Unknown"))
    if code in ("InvalidCiphertextException", "IncorrectKeyException"):
        raise CiphertextRefusedError(code)
    raise ServiceUnavailableError(f"kms:{model.name}", code)
