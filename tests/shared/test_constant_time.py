"""Codes are compared by `hmac.compare_digest`, the same number of times whether one matches or not."""

import hmac
from collections.abc import Iterator
from unittest import mock

import pyotp
import pytest

from functions.shared import second_factor
from functions.shared.contract import STEP_SECONDS, WINDOW
from functions.shared.totp import matching_step
from tests.support.records import KEYS, NOW, SECRET, record


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
    judged = second_factor._judge_backup_code(record(), SECRET, KEYS.codes()[place], NOW)

    assert judged.burned is not None
    assert compared.call_count == 8


@pytest.mark.parametrize("used", range(9))
def test_a_code_that_is_none_is_compared_with_all_used_or_not(compared: mock.Mock, used: int) -> None:
    hashes = record().backup_codes
    partly_used = record(backup_codes=hashes[used:], backup_codes_used=hashes[:used])

    judged = second_factor._judge_backup_code(partly_used, SECRET, "ZZZZ-9999", NOW)

    assert (judged.burned, judged.replayed) == (None, False)
    assert compared.call_count == 8
