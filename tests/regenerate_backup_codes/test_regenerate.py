"""``POST /auth/mfa/backup-codes`` through its handler."""

import re

import pytest

from functions.shared.backup_codes import BackupCodeKeys
from functions.shared.contract import BACKUP_CODES
from tests.support.aws_calls import refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import User


def test_eight_new_codes_replace_all_old_ones_used_or_not(enrolled: User) -> None:
    old = enrolled.backup_codes
    enrolled.verify_backup(old[0])
    answer = enrolled.regenerate()

    assert answer.status == 200
    assert set(answer.body) == {"backupCodes", "backupCodesRemaining"}
    assert answer.body["backupCodesRemaining"] == 8
    new = answer.body["backupCodes"]
    assert len(set(new)) == 8
    assert all(re.fullmatch("[A-Z]{4}-[0-9]{4}", code) for code in new)
    assert not set(new) & set(old)
    assert enrolled.verify_backup(old[1]).error == "INVALID_CODE"
    assert [enrolled.verify_backup(code).status for code in new] == [200] * 8


def test_the_secret_stays(enrolled: User) -> None:
    enrolled.regenerate()
    enrolled.wait()
    assert enrolled.verify().status == 200


def test_a_request_that_loses_a_race_takes_as_long_for_a_wrong_code_as_for_a_right_one(
    aws: EmbeddedAws, enrolled: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: list[BackupCodeKeys] = []
    codes = BackupCodeKeys.codes

    def observed(keys: BackupCodeKeys) -> list[str]:
        derived.append(keys)
        return codes(keys)

    monkeypatch.setattr(BackupCodeKeys, "codes", observed)
    rival = User(enrolled.load, now=enrolled.now, secret=enrolled.secret)
    work = []
    for code in (enrolled.code(), enrolled.wrong_code()):
        derived.clear()
        with aws.calls.before("kms:Decrypt", lambda: rival.verify(rival.wrong_code())):
            assert enrolled.regenerate(code).error == "CONFLICT"
        work.append(len(derived))
    assert work == [1, 1]


def test_a_backup_code_cannot_make_new_ones(aws: EmbeddedAws, enrolled: User) -> None:
    before = aws.item("user-1")
    assert enrolled.call(BACKUP_CODES, {"backupCode": enrolled.backup_codes[0]}).error == "VALIDATION_ERROR"
    assert enrolled.call(BACKUP_CODES, {"code": enrolled.backup_codes[0]}).error == "VALIDATION_ERROR"
    assert enrolled.call(BACKUP_CODES).error == "VALIDATION_ERROR"
    assert aws.item("user-1") == before


def test_a_wrong_code_changes_nothing_but_the_count(aws: EmbeddedAws, enrolled: User) -> None:
    before = aws.item("user-1")
    assert enrolled.regenerate(enrolled.wrong_code()).error == "INVALID_CODE"
    after = aws.item("user-1")
    assert after["failed_attempts"] == {"N": "1"}
    assert after["backup_codes"] == before["backup_codes"]
    assert after["backup_codes_salt"] == before["backup_codes_salt"]


def test_the_code_is_burned(enrolled: User) -> None:
    code = enrolled.code()
    assert enrolled.regenerate(code).status == 200
    assert enrolled.verify(code).error == "INVALID_CODE"


def test_when_mfa_is_off_there_are_none_to_make(user: User) -> None:
    assert user.regenerate("123456").error == "MFA_NOT_ENABLED"


@pytest.mark.parametrize("operation", ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"])
def test_a_failing_call_keeps_the_old_codes(aws: EmbeddedAws, enrolled: User, operation: str) -> None:
    with aws.calls.recorded({operation: refused("ThrottlingException")}):
        assert enrolled.regenerate().status == 503
    assert enrolled.verify_backup(enrolled.backup_codes[0]).status == 200
