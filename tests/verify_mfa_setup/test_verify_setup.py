"""``POST /auth/mfa/verify-setup`` through its handler."""

import json
import re

import pytest

from tests.support.aws_calls import refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import User


def test_the_first_code_enables_and_shows_eight_backup_codes(aws: EmbeddedAws, user: User) -> None:
    user.setup()
    answer = user.verify_setup()

    assert answer.status == 200
    assert set(answer.body) == {"enabled", "backupCodes", "enabledAt"}
    assert answer.body["enabled"] is True
    assert answer.body["enabledAt"] == "2027-01-15T08:00:15Z"
    codes = answer.body["backupCodes"]
    assert len(set(codes)) == 8
    assert all(re.fullmatch("[A-Z]{4}-[0-9]{4}", code) for code in codes)
    item = aws.item("user-1")
    assert item["status"] == {"S": "ENABLED"}
    assert item["enabled_at"] == {"S": "2027-01-15T08:00:15Z"}
    assert "expires_at" not in item
    assert not any(code in json.dumps(item) for code in codes)


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
def test_the_window_is_as_wide_as_at_login(user: User, steps: int) -> None:
    user.setup()
    assert user.verify_setup(user.code(steps=steps)).status == (200 if abs(steps) < 2 else 400)


def test_a_wrong_code_leaves_the_secret_as_it_was(user: User) -> None:
    user.setup()
    assert user.verify_setup(user.wrong_code()).error == "INVALID_CODE"
    assert user.verify_setup().status == 200


def test_an_enrolment_expires_after_ten_minutes_even_if_the_item_is_still_there(aws: EmbeddedAws, user: User) -> None:
    user.setup()
    user.wait(599)
    assert user.status()["state"] == "PENDING"
    user.wait(1)
    answer = user.verify_setup()
    assert (answer.status, answer.error) == (410, "MFA_SETUP_EXPIRED")
    assert user.status()["state"] == "DISABLED"
    item = aws.item("user-1")
    assert item["status"] == {"S": "PENDING"}


def test_ten_wrong_codes_discard_the_enrolment_and_its_secret(aws: EmbeddedAws, user: User) -> None:
    user.setup()
    for _ in range(10):
        assert user.verify_setup(user.wrong_code()).error == "INVALID_CODE"
    answer = user.verify_setup()
    assert (answer.status, answer.error) == (404, "MFA_SETUP_NOT_FOUND")
    item = aws.item("user-1")
    assert "encrypted_secret" not in item
    assert "backup_codes_salt" not in item
    assert user.setup().status == 200
    assert user.verify_setup().status == 200


def test_the_code_of_a_replaced_secret_is_wrong(user: User) -> None:
    user.setup()
    replaced = user.code()
    user.setup()
    assert user.verify_setup(replaced).error == "INVALID_CODE"


@pytest.mark.parametrize("operation", ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"])
@pytest.mark.parametrize("right", [True, False])
def test_a_failing_call_changes_nothing_and_counts_no_attempt(
    aws: EmbeddedAws, user: User, operation: str, right: bool
) -> None:
    user.setup()
    before = aws.item("user-1")
    with aws.calls.recorded({operation: refused("ThrottlingException")}):
        answer = user.verify_setup(user.code() if right else user.wrong_code())
    assert (answer.status, answer.error) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    assert aws.item("user-1") == before
    assert user.verify_setup().status == 200


def test_a_setup_that_comes_between_read_and_write_wins(aws: EmbeddedAws, user: User) -> None:
    """The code was for the replaced secret; enabling the new one by it would lock the user out."""
    user.setup()
    with aws.calls.before("dynamodb:UpdateItem", User(user.load, now=user.now).setup):
        answer = user.verify_setup()
    assert (answer.status, answer.error) == (409, "CONFLICT")
    item = aws.item("user-1")
    assert item["status"] == {"S": "PENDING"}
