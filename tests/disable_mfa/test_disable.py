"""``POST /auth/mfa/disable`` through its handler."""

import pytest

from functions.shared.contract import DISABLE
from tests.support.aws_calls import refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import User


def test_a_totp_code_turns_it_off_and_leaves_nothing_behind(aws: EmbeddedAws, enrolled: User) -> None:
    answer = enrolled.disable()
    assert (answer.status, answer.body) == (200, {"enabled": False})
    assert aws.item("user-1") == {}


def test_so_does_a_backup_code(aws: EmbeddedAws, enrolled: User) -> None:
    assert enrolled.disable(backupCode=enrolled.backup_codes[0]).status == 200
    assert aws.item("user-1") == {}


def test_being_signed_in_is_not_enough(aws: EmbeddedAws, enrolled: User) -> None:
    before = aws.item("user-1")
    assert enrolled.call(DISABLE).error == "VALIDATION_ERROR"
    assert enrolled.call(DISABLE, {}).error == "VALIDATION_ERROR"
    assert aws.item("user-1") == before


def test_a_wrong_code_counts_and_the_lock_is_the_same_as_at_login(enrolled: User) -> None:
    for _ in range(3):
        assert enrolled.disable(code=enrolled.wrong_code()).error == "INVALID_CODE"
    for _ in range(2):
        assert enrolled.verify(enrolled.wrong_code()).error == "INVALID_CODE"
    answer = enrolled.disable()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")


def test_a_used_code_does_not_turn_it_off(enrolled: User) -> None:
    code = enrolled.code()
    assert enrolled.verify(code).status == 200
    assert enrolled.disable(code=code).error == "INVALID_CODE"


def test_when_it_is_not_on_there_is_nothing_to_turn_off(user: User) -> None:
    answer = user.disable(code="123456")
    assert (answer.status, answer.error) == (409, "MFA_NOT_ENABLED")


def test_afterwards_setup_starts_afresh(enrolled: User) -> None:
    old_secret, old_code = enrolled.secret, enrolled.backup_codes[0]
    enrolled.disable()
    enrolled.wait()
    enrolled.enrol()
    assert enrolled.secret != old_secret
    assert enrolled.verify_backup(old_code).error == "INVALID_CODE"


@pytest.mark.parametrize("operation", ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:DeleteItem"])
def test_a_failing_call_changes_nothing(aws: EmbeddedAws, enrolled: User, operation: str) -> None:
    before = aws.item("user-1")
    with aws.calls.recorded({operation: refused("ProvisionedThroughputExceededException")}):
        assert enrolled.disable().status == 503
    assert aws.item("user-1") == before
    assert enrolled.disable().status == 200
