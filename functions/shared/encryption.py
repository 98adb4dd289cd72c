"""What sealing and opening a TOTP secret have in common: the key, the algorithm suite, the encryption context.

Sealing itself lives in ``functions.setup_mfa.encryption`` and opening in ``functions.shared.decryption``, as the
permissions do: the function that seals cannot open, those that open cannot seal.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

import boto3
import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - see docs/adr/0072: first used within a request
from aws_encryption_sdk import EncryptionSDKClient
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey  # the SDK offers raw keys by no other path
from aws_encryption_sdk.key_providers.base import MasterKey
from aws_encryption_sdk.key_providers.kms import MRKAwareKMSMasterKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey
from botocore.model import OperationModel

from functions.shared.aws import CLIENT_CONFIG, mistrust_answers
from functions.shared.contract import ENCRYPTION_CONTEXT_PURPOSE, ENCRYPTION_CONTEXT_USER_ID, SECRET_PURPOSE
from functions.shared.errors import ServiceUnavailableError
from functions.shared.settings import KmsKey, RawKey

# The SDK logs a traceback for every failed call; failures are ours to report, and without their values.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL + 1)

#: AES-256-GCM with key derivation and commitment, unsigned: one key seals and opens, so a signature would add
#: nothing but 96 bytes and milliseconds.
SUITE: Final = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY

sdk_client: Final = EncryptionSDKClient(
    commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
)


class CiphertextRefusedError(Exception):
    """KMS says that the ciphertext is not one that this key made for this user: the stored item is damaged."""


def encryption_context(user_id: str) -> dict[str, str]:
    """Return the context that binds a sealed secret to its user and purpose. It is stored in clear."""
    return {ENCRYPTION_CONTEXT_USER_ID: user_id, ENCRYPTION_CONTEXT_PURPOSE: SECRET_PURPOSE}


def master_key(key: KmsKey | RawKey) -> MasterKey:
    """Return the Encryption SDK's master key for a configured key, with one client for the life of the process."""
    if isinstance(key, RawKey):
        wrapping_key = WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
            wrapping_key=key.key,
            wrapping_key_type=EncryptionKeyType.SYMMETRIC,
        )
        return RawMasterKey(provider_id="mfa-development", key_id="raw", wrapping_key=wrapping_key)
    client = boto3.client("kms", region_name=key.region, config=CLIENT_CONFIG)
    client.meta.events.register("after-call.kms", _raise_failure)
    mistrust_answers(client, "kms")
    # Aware of multi-region keys: a replica opens what the primary sealed. For any other key it is the plain one.
    return MRKAwareKMSMasterKey(key_id=key.arn, client=client)


def _raise_failure(parsed: Mapping[str, Any], model: OperationModel, **_: object) -> None:
    """Raise our own error for a failed KMS call, from within the client.

    The Encryption SDK would swallow botocore's: it reports only that no key could decrypt, so that a throttled call
    and a forged ciphertext look the same.
    """
    if "Error" not in parsed:
        return
    code = str(parsed["Error"].get("Code", "Unknown"))
    if code in ("InvalidCiphertextException", "IncorrectKeyException"):
        raise CiphertextRefusedError(code)
    raise ServiceUnavailableError(f"kms:{model.name}", code)
