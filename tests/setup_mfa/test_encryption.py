"""Encrypted secrets: our opener and plain SDK clients decrypt them for the same user, and for no other."""

import base64
import io
import itertools
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient, StrictAwsKmsMasterKeyProvider
from aws_encryption_sdk.identifiers import Algorithm, ContentType
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from aws_encryption_sdk.key_providers.base import MasterKey
from botocore.exceptions import ReadTimeoutError

from functions.setup_mfa.encryption import EnvelopeSealer, SealedSecret
from functions.shared.decryption import EnvelopeOpener
from functions.shared.encryption import encryption_context, master_key, sdk_client
from functions.shared.errors import ServiceUnavailableError
from functions.shared.record import RecordDamagedError
from functions.shared.settings import KmsKey, RawKey
from tests.support.aws_calls import raising, refused
from tests.support.embedded_aws import REGION, EmbeddedAws
from tests.support.node import in_node

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
RAW_KEY = bytes(range(32))


@pytest.fixture(params=["kms", "raw"])
def key(request: pytest.FixtureRequest) -> MasterKey:
    if request.param == "raw":
        return master_key(RawKey(RAW_KEY))
    return master_key(KmsKey(request.getfixturevalue("aws").key_arn))


@pytest.fixture
def raw_key() -> MasterKey:
    return master_key(RawKey(RAW_KEY))


def message_of(sealed: SealedSecret) -> bytes:
    return base64.b64decode(sealed.message, validate=True)


def b64(message: bytes) -> str:
    return base64.b64encode(message).decode()


def encrypted(
    provider: Any, *, client: EncryptionSDKClient = sdk_client, source: bytes = SECRET.encode(), **changes: Any
) -> bytes:
    """Return the message that an SDK client makes as our sealer calls it, with changes."""
    ours = {
        "encryption_context": encryption_context("user-1"),
        "algorithm": Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        "frame_length": 0,
    }
    message: bytes = client.encrypt(source=source, key_provider=provider, **ours | changes)[0]
    return message


def opened(key: MasterKey, message: bytes, user_id: str = "user-1") -> str | None:
    """Return the plaintext, or None if the opener reports a damaged record or a failure of KMS."""
    try:
        return EnvelopeOpener(key).open(b64(message), user_id=user_id)
    except (RecordDamagedError, ServiceUnavailableError):
        return None


def test_opens_for_the_same_user(key: MasterKey) -> None:
    sealed = EnvelopeSealer(key).seal(SECRET, user_id="user-1")
    assert EnvelopeOpener(key).open(sealed.message, user_id="user-1") == SECRET


@pytest.mark.parametrize("other", ["user-2", "USER-1", "user-1 ", ""])
def test_does_not_open_for_another_user(key: MasterKey, other: str) -> None:
    sealed = EnvelopeSealer(key).seal(SECRET, user_id="user-1")
    with pytest.raises(RecordDamagedError):
        EnvelopeOpener(key).open(sealed.message, user_id=other)


@pytest.mark.parametrize(
    "context",
    [
        {"user_id": "user-1", "purpose": "another"},
        {"user_id": "user-1"},
        {"purpose": "mfa-totp"},
        {"user_id": "user-1", "purpose": "mfa-totp", "more": "x"},
        {},
    ],
    ids=str,
)
def test_does_not_open_what_was_sealed_under_another_context(key: MasterKey, context: dict[str, str]) -> None:
    assert opened(key, encrypted(key, encryption_context=context)) is None


def test_does_not_open_with_another_key(aws: EmbeddedAws, key: MasterKey) -> None:
    message = message_of(EnvelopeSealer(key).seal(SECRET, user_id="user-1"))
    others = (KmsKey(aws.kms.create_key()["KeyMetadata"]["Arn"]), RawKey(bytes(32)))
    assert [opened(master_key(other), message) for other in others] == [None, None]


class TestForm:
    def test_suite_context_and_one_data_key(self, key: MasterKey) -> None:
        message = message_of(EnvelopeSealer(key).seal(SECRET, user_id="user-1"))
        header, _ = deserialize_header(io.BytesIO(message))
        assert header.algorithm is Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
        assert header.algorithm.is_committing()
        assert header.content_type is ContentType.NO_FRAMING
        assert header.encryption_context == {"user_id": "user-1", "purpose": "mfa-totp"}
        assert len(header.encrypted_data_keys) == 1

    def test_the_clients_policy_demands_commitment(self) -> None:
        assert sdk_client.config.commitment_policy is CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        assert sdk_client.config.max_encrypted_data_keys == 1

    def test_the_iv_is_the_one_in_the_message(self, key: MasterKey) -> None:
        sealed = EnvelopeSealer(key).seal(SECRET, user_id="user-1")
        iv = base64.b64decode(sealed.iv)
        assert iv == bytes(11) + b"\x01"
        # An unframed body: IV, length of the plaintext, ciphertext of that length, tag.
        assert message_of(sealed)[-(12 + 8 + 32 + 16) :][:20] == iv + (32).to_bytes(8)

    def test_the_same_secret_is_never_sealed_alike(self, key: MasterKey) -> None:
        sealer = EnvelopeSealer(key)
        bodies = {message_of(sealer.seal(SECRET, user_id="user-1"))[-48:] for _ in range(20)}
        assert len(bodies) == 20

    def test_neither_secret_nor_key_shows_in_it(self, raw_key: MasterKey) -> None:
        message = message_of(EnvelopeSealer(raw_key).seal(SECRET, user_id="user-1"))
        assert SECRET.encode() not in message
        assert base64.b32decode(SECRET) not in message
        assert RAW_KEY not in message


class TestOtherSuites:
    """What an attacker who can write the table might store: messages under weaker suites, with another body."""

    @pytest.mark.parametrize(
        "suite",
        [
            Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
            Algorithm.AES_256_GCM_IV12_TAG16_HKDF_SHA256,
            Algorithm.AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384,
            Algorithm.AES_128_GCM_IV12_TAG16,
        ],
        ids=lambda suite: suite.name,
    )
    def test_are_refused(self, raw_key: MasterKey, suite: Algorithm) -> None:
        anything = EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
        committing = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT)
        client = committing if suite.is_committing() else anything
        assert opened(raw_key, encrypted(raw_key, client=client, algorithm=suite)) is None

    def test_a_body_longer_than_any_secret_is_refused(self, raw_key: MasterKey) -> None:
        assert opened(raw_key, encrypted(raw_key, source=b"A" * 257)) is None

    def test_two_data_keys_are_refused(self, aws: EmbeddedAws) -> None:
        other = aws.kms.create_key()["KeyMetadata"]["Arn"]
        generous = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
        both = StrictAwsKmsMasterKeyProvider(key_ids=[aws.key_arn, other], region_names=[REGION])
        message = encrypted(both, client=generous)
        assert len(deserialize_header(io.BytesIO(message))[0].encrypted_data_keys) == 2
        assert opened(master_key(KmsKey(aws.key_arn)), message) is None


class TestDamage:
    def test_no_byte_can_be_changed(self, key: MasterKey) -> None:
        message = message_of(EnvelopeSealer(key).seal(SECRET, user_id="user-1"))
        for position in range(len(message)):
            for flip in (0x01, 0x80, 0xFF):
                damaged = bytearray(message)
                damaged[position] ^= flip
                assert opened(key, bytes(damaged)) is None, (position, flip)

    def test_no_end_can_be_missing(self, key: MasterKey) -> None:
        message = message_of(EnvelopeSealer(key).seal(SECRET, user_id="user-1"))
        for length in range(len(message)):
            assert opened(key, message[:length]) is None, length

    @pytest.mark.parametrize("addition", [b"\0", b"x" * 16, bytes(1000)], ids=len)
    def test_nothing_can_be_added(self, key: MasterKey, addition: bytes) -> None:
        message = message_of(EnvelopeSealer(key).seal(SECRET, user_id="user-1"))
        assert opened(key, message + addition) is None
        assert opened(key, message + message) is None

    @pytest.mark.parametrize("user_id", ["user-1", "user-12", "user-123"])
    def test_no_bit_of_the_stored_text_can_be_changed(self, raw_key: MasterKey, user_id: str) -> None:
        """The message is of three lengths, so that base64 has two, one and no characters of padding."""
        text = EnvelopeSealer(raw_key).seal(SECRET, user_id=user_id).message
        for position, bit in itertools.product(range(len(text)), range(8)):
            changed = text[:position] + chr(ord(text[position]) ^ 1 << bit) + text[position + 1 :]
            with pytest.raises(RecordDamagedError):
                EnvelopeOpener(raw_key).open(changed, user_id=user_id)

    def test_halves_of_two_messages_do_not_fit(self, key: MasterKey) -> None:
        one, two = (message_of(EnvelopeSealer(key).seal(SECRET, user_id="user-1")) for _ in range(2))
        body = 12 + 8 + 32 + 16
        assert opened(key, one[:-body] + two[-body:]) is None

    @pytest.mark.parametrize("text", ["", "=", "A", "not base64!", "AAAA", "ä", "A" * 10_000, "\ud800"], ids=ascii)
    def test_what_is_no_message_at_all(self, raw_key: MasterKey, text: str) -> None:
        with pytest.raises(RecordDamagedError):
            EnvelopeOpener(raw_key).open(text, user_id="user-1")

    def test_says_nothing_of_the_message(self, raw_key: MasterKey) -> None:
        sealed = EnvelopeSealer(raw_key).seal(SECRET, user_id="user-1")
        with pytest.raises(RecordDamagedError) as caught:
            EnvelopeOpener(raw_key).open(sealed.message[:-8], user_id="user-1")
        assert str(caught.value) == ""


class TestCalls:
    def test_one_call_to_seal_and_one_to_open(self, aws: EmbeddedAws) -> None:
        key = master_key(KmsKey(aws.key_arn))
        with aws.calls.recorded() as made:
            sealed = EnvelopeSealer(key).seal(SECRET, user_id="user-1")
            EnvelopeOpener(key).open(sealed.message, user_id="user-1")
        assert made == ["kms:GenerateDataKey", "kms:Decrypt"]

    @pytest.mark.parametrize(
        ("failure", "reason"),
        [
            (refused("AccessDeniedException"), "AccessDeniedException"),
            (refused("ThrottlingException"), "ThrottlingException"),
            (refused("KMSInvalidStateException"), "KMSInvalidStateException"),
            (refused("KMSInternalException", 500), "KMSInternalException"),
            (raising(ReadTimeoutError(endpoint_url="https://kms.example")), "ReadTimeoutError"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_failure_of_kms_is_no_damage(self, aws: EmbeddedAws, failure: Callable[[], object], reason: str) -> None:
        key = master_key(KmsKey(aws.key_arn))
        sealed = EnvelopeSealer(key).seal(SECRET, user_id="user-1")
        with aws.calls.recorded({"kms:GenerateDataKey": failure, "kms:Decrypt": failure}):
            with pytest.raises(ServiceUnavailableError) as sealing:
                EnvelopeSealer(key).seal(SECRET, user_id="user-1")
            with pytest.raises(ServiceUnavailableError) as opening:
                EnvelopeOpener(key).open(sealed.message, user_id="user-1")
        assert (sealing.value.operation, sealing.value.reason) == ("kms:GenerateDataKey", reason)
        assert (opening.value.operation, opening.value.reason) == ("kms:Decrypt", reason)

    @pytest.mark.parametrize("code", ["InvalidCiphertextException", "IncorrectKeyException"])
    def test_a_ciphertext_that_kms_refuses_is_damage(self, aws: EmbeddedAws, code: str) -> None:
        key = master_key(KmsKey(aws.key_arn))
        sealed = EnvelopeSealer(key).seal(SECRET, user_id="user-1")
        with aws.calls.recorded({"kms:Decrypt": refused(code)}), pytest.raises(RecordDamagedError):
            EnvelopeOpener(key).open(sealed.message, user_id="user-1")

    def test_the_sdk_logs_nothing_whether_it_succeeds_or_fails(
        self, raw_key: MasterKey, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        message = message_of(EnvelopeSealer(raw_key).seal(SECRET, user_id="user-1"))
        assert opened(raw_key, message) == SECRET
        changed = message[:-1] + bytes([message[-1] ^ 1]), bytes([message[0] ^ 1]) + message[1:]
        for failing in (b"", message[:-1], *changed):
            assert opened(raw_key, failing) is None
        assert opened(raw_key, message, user_id="user-2") is None
        assert caplog.text == ""
        assert capfd.readouterr() == ("", "")


class TestInteroperability:
    """The messages follow the standard: with the key, they can be decrypted without our code."""

    def test_a_plain_sdk_client_opens_it_in_strict_mode(self, aws: EmbeddedAws) -> None:
        sealed = EnvelopeSealer(master_key(KmsKey(aws.key_arn))).seal(SECRET, user_id="user-1")
        provider = StrictAwsKmsMasterKeyProvider(key_ids=[aws.key_arn], region_names=[REGION])
        plaintext, header = EncryptionSDKClient().decrypt(source=message_of(sealed), key_provider=provider)
        assert plaintext == SECRET.encode()
        assert header.encryption_context == {"user_id": "user-1", "purpose": "mfa-totp"}

    def test_awss_javascript_implementation_opens_it(self, raw_key: MasterKey) -> None:
        sealed = EnvelopeSealer(raw_key).seal(SECRET, user_id="user-1")
        opened_there = in_node(
            'require("./tests/setup_mfa/open_message.cjs")', {"key": b64(RAW_KEY), "message": sealed.message}
        )
        assert opened_there == {
            "plaintext": SECRET,
            "context": {"user_id": "user-1", "purpose": "mfa-totp"},
            "suite": Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY.algorithm_id,
        }

    def test_what_a_plain_sdk_client_seals_our_opener_opens(self, aws: EmbeddedAws) -> None:
        provider = StrictAwsKmsMasterKeyProvider(key_ids=[aws.key_arn], region_names=[REGION])
        message = encrypted(provider, client=EncryptionSDKClient())
        assert EnvelopeOpener(master_key(KmsKey(aws.key_arn))).open(b64(message), user_id="user-1") == SECRET

    def test_kms_itself_opens_the_data_key_only_under_the_context(self, aws: EmbeddedAws) -> None:
        message = message_of(EnvelopeSealer(master_key(KmsKey(aws.key_arn))).seal(SECRET, user_id="user-1"))
        header, _ = deserialize_header(io.BytesIO(message))
        (data_key,) = header.encrypted_data_keys
        ciphertext = data_key.encrypted_data_key
        opened_key = aws.kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext=encryption_context("user-1"))
        assert len(opened_key["Plaintext"]) == 32
        with pytest.raises(aws.kms.exceptions.InvalidCiphertextException):
            aws.kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext=encryption_context("user-2"))
