"""The master key of a configured key, and the meaning of a failed KMS call."""

import pytest
from aws_encryption_sdk.key_providers.kms import MRKAwareKMSMasterKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey

from functions.shared import aws
from functions.shared.aws import CLIENT_CONFIG
from functions.shared.encryption import encryption_context, master_key
from functions.shared.settings import KmsKey, RawKey
from tests.support.embedded_aws import EmbeddedAws

ARN = "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234567890abcdef1234567890abcdef"


def test_the_context_binds_user_and_purpose() -> None:
    assert encryption_context("user-1") == {"user_id": "user-1", "purpose": "mfa-totp"}


def test_a_kms_key_is_asked_in_its_own_region_within_time_limits() -> None:
    key = master_key(KmsKey(ARN))
    assert isinstance(key, MRKAwareKMSMasterKey)
    client = key.config.client
    assert client.meta.region_name == "eu-central-1"
    limits = client.meta.config
    assert (limits.connect_timeout, limits.read_timeout) == (CLIENT_CONFIG.connect_timeout, CLIENT_CONFIG.read_timeout)
    # Standard retries wait a second at most before the second attempt.
    worst = limits.retries["total_max_attempts"] * (limits.connect_timeout + limits.read_timeout) + 1
    assert worst <= 6


def test_a_raw_key_needs_no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "sdk_session", None)
    assert isinstance(master_key(RawKey(bytes(32))), RawMasterKey)


def test_a_raw_key_never_shows() -> None:
    key = RawKey(b"k" * 32)
    assert "kkk" not in repr(key)
    assert "kkk" not in repr(master_key(key))


def test_other_clients_of_the_process_keep_their_own_errors(aws: EmbeddedAws) -> None:
    master_key(KmsKey(aws.key_arn))
    with pytest.raises(aws.kms.exceptions.NotFoundException):
        aws.kms.describe_key(KeyId="1234abcd-12ab-34cd-56ef-1234567890ab")
