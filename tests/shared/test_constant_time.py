"""Codes are compared by `hmac.compare_digest`, the same number of times whether one matches or not."""

import hmac
from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import pyotp
import pytest

from functions.shared import second_factor
from functions.shared.backup_codes import SALT_BYTES
from functions.shared.contract import STEP_SECONDS, WINDOW, Status
from functions.shared.record import MfaRecord
from functions.shared.totp import matching_step

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = 1_700_000_000
KEYS = second_factor.backup_code_keys(SECRET, bytes(SALT_BYTES))
RECORD = MfaRecord(
    user_id="user-1",
    status=Status.ENABLED,
    encrypted_secret=None,
    backup_codes=tuple(KEYS.hashes()),
    backup_codes_used=(),
    backup_codes_salt=bytes(SALT_BYTES),
    version=1,
)


@pytest.fixture
def compared() -> Iterator[mock.Mock]:
    with mock.patch.object(hmac, "compare_digest", wraps=hmac.compare_digest) as spy:
        yield spy


@pytest.mark.parametrize("offset", [-1, 0, 1, None])
def test_every_comparison_of_a_code_is_in_constant_time(compared: mock.Mock, offset: int | None) -> None:
    code = "000000" if offset is None else pyotp.TOTP(SECRET).at(NOW + offset * STEP_SECONDS)
    step = None if offset is None else NOW // STEP_SECONDS + offset

    assert matching_step(SECRET, code, now=NOW) == step
    assert compared.call_count == 2 * WINDOW + 1


@pytest.mark.parametrize("place", range(8))
def test_every_comparison_of_a_backup_code_is_in_constant_time(compared: mock.Mock, place: int) -> None:
    judged = second_factor._judge_backup_code(RECORD, SECRET, KEYS.codes()[place], NOW)

    assert judged.burned is not None
    assert compared.call_count == 8


@pytest.mark.parametrize("used", range(9))
def test_a_code_that_is_none_is_compared_with_all_used_or_not(compared: mock.Mock, used: int) -> None:
    record = replace(RECORD, backup_codes=RECORD.backup_codes[used:], backup_codes_used=RECORD.backup_codes[:used])

    judged = second_factor._judge_backup_code(record, SECRET, "ZZZZ-9999", NOW)

    assert (judged.burned, judged.replayed) == (None, False)
    assert compared.call_count == 8
