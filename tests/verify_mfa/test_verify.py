"""``POST /auth/mfa/verify`` through its handler: the check that guards disable and backup-codes as well."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.shared.clock import iso_timestamp
from functions.shared.contract import REPETITION_SECONDS
from tests.support.aws_calls import refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import User
from tests.support.metrics import Emitted


def test_wrong_codes_before_a_login_are_reported_once(enrolled: User) -> None:
    """Four wrong codes before each login lock nothing: only the user can tell that they were an attacker's."""
    for _ in range(4):
        enrolled.verify(enrolled.wrong_code())
    wrong_at = iso_timestamp(enrolled.now)
    enrolled.wait(8)
    body = enrolled.verify().body
    assert (body["failedAttempts"], body["lastFailedAttemptAt"]) == (4, wrong_at)
    enrolled.wait()
    assert set(enrolled.verify().body) == {"verified", "method", "backupCodesRemaining"}


def test_only_wrong_codes_of_the_same_factor_are_reported(enrolled: User) -> None:
    enrolled.verify(enrolled.wrong_code())
    assert "failedAttempts" not in enrolled.verify_backup(enrolled.backup_codes[0]).body
    enrolled.verify_backup("BCDF-0000")
    assert enrolled.verify_backup(enrolled.backup_codes[1]).body["failedAttempts"] == 1


class TestTotp:
    def test_a_right_code_is_accepted_once(self, enrolled: User) -> None:
        answer = enrolled.verify()
        assert answer.status == 200
        assert answer.body == {"verified": True, "method": "totp", "backupCodesRemaining": 8}
        assert enrolled.verify().error == "INVALID_CODE"

    def test_the_code_used_to_enrol_does_not_log_in(self, user: User) -> None:
        user.setup()
        code = user.code()
        assert user.verify_setup(code).status == 200
        answer = user.verify(code)
        assert (answer.status, answer.error) == (400, "INVALID_CODE")

    @pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
    def test_one_step_of_delay_either_way_is_allowed(self, enrolled: User, steps: int) -> None:
        enrolled.wait(60)
        assert enrolled.verify(enrolled.code(steps=steps)).status == (200 if abs(steps) < 2 else 400)

    def test_a_step_before_the_last_used_one_is_refused(self, enrolled: User) -> None:
        enrolled.wait(60)
        assert enrolled.verify(enrolled.code(steps=1)).status == 200
        assert enrolled.verify(enrolled.code(steps=0)).error == "INVALID_CODE"

    def test_a_clock_set_back_does_not_bring_old_codes_back(self, enrolled: User) -> None:
        code = enrolled.code()
        assert enrolled.verify(code).status == 200
        enrolled.wait(-30)
        assert enrolled.verify(enrolled.code()).error == "INVALID_CODE"
        enrolled.wait(60)
        assert enrolled.verify().status == 200

    def test_a_wrong_code_and_a_replay_get_the_same_answer(self, enrolled: User) -> None:
        code = enrolled.code()
        assert enrolled.verify(code).status == 200
        repeated = enrolled.verify(code)
        enrolled.wait(REPETITION_SECONDS + 1)
        replay, wrong = enrolled.verify(code), enrolled.verify(enrolled.wrong_code())
        for answer in (repeated, replay, wrong):
            answer.body.pop("request_id")
            answer.body.pop("timestamp")
        assert repeated == replay == wrong
        assert replay.status == 400


class TestBackupCode:
    def test_each_is_good_for_one_login(self, enrolled: User) -> None:
        code = enrolled.backup_codes[3]
        answer = enrolled.verify_backup(code)
        assert answer.body == {"verified": True, "method": "backup_code", "backupCodesRemaining": 7}
        assert enrolled.verify_backup(code).error == "INVALID_CODE"
        assert enrolled.status()["backupCodesRemaining"] == 7

    def test_few_left_are_a_warning(self, enrolled: User) -> None:
        warnings = [enrolled.verify_backup(code).body.get("warnings") for code in enrolled.backup_codes]
        assert warnings == [None] * 5 + [["BACKUP_CODES_LOW"]] * 3
        assert enrolled.verify().body["warnings"] == ["BACKUP_CODES_LOW"]

    def test_another_users_codes_are_wrong(self, enrolled: User) -> None:
        other = User(enrolled.load, user_id="user-2")
        other.enrol()
        assert enrolled.verify_backup(other.backup_codes[0]).error == "INVALID_CODE"


class TestLockOut:
    def fail(self, user: User, times: int) -> None:
        for _ in range(times):
            answer = user.verify(user.wrong_code())
            assert answer.error == "INVALID_CODE"

    def test_five_are_free_and_the_fifth_locks_for_a_minute(self, enrolled: User) -> None:
        self.fail(enrolled, 5)
        answer = enrolled.verify()
        assert (answer.status, answer.error) == (429, "TOO_MANY_ATTEMPTS")
        assert answer.headers["Retry-After"] == "60"

    def test_a_hundred_lock_for_good_and_name_no_time(self, aws: EmbeddedAws, enrolled: User) -> None:
        aws.set("user-1", failed_attempts={"N": "99"}, last_failed_at={"S": "2020-01-01T00:00:00Z"})
        self.fail(enrolled, 1)
        enrolled.wait(10 * 365 * 86400)
        answer = enrolled.verify()
        assert answer.error == "TOO_MANY_ATTEMPTS"
        assert "Retry-After" not in answer.headers
        assert enrolled.status()["lockedUntil"] == "9999-12-31T23:59:59Z"

    def test_locking_one_kind_of_factor_never_locks_the_other(self, enrolled: User) -> None:
        self.fail(enrolled, 5)
        assert enrolled.verify().status == 429
        assert enrolled.verify_backup(enrolled.backup_codes[0]).status == 200
        for _ in range(5):
            assert enrolled.verify_backup("AAAA-0000").error == "INVALID_CODE"
        assert enrolled.verify_backup(enrolled.backup_codes[1]).status == 429
        enrolled.wait(60)
        assert enrolled.verify().status == 200

    def test_status_tells_until_when(self, enrolled: User) -> None:
        self.fail(enrolled, 5)
        assert enrolled.status()["lockedUntil"] == "2027-01-15T08:01:15Z"
        enrolled.wait(60)
        assert enrolled.status()["lockedUntil"] is None

    def test_a_new_login_session_does_not_reset_it(self, enrolled: User) -> None:
        self.fail(enrolled, 5)
        again = User(enrolled.load, now=enrolled.now, secret=enrolled.secret)
        assert again.verify().status == 429


class TestFailures:
    @pytest.mark.parametrize("operation", ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"])
    @pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "KMSInternalException"])
    @pytest.mark.parametrize("right", [True, False])
    def test_a_failing_call_changes_nothing_and_counts_no_attempt(
        self, aws: EmbeddedAws, enrolled: User, operation: str, code: str, right: bool
    ) -> None:
        before = aws.item("user-1")
        with aws.calls.recorded({operation: refused(code, 500)}):
            answer = enrolled.verify(enrolled.code() if right else enrolled.wrong_code())
        assert (answer.status, answer.error) == (503, "SERVICE_UNAVAILABLE")
        assert aws.item("user-1") == before
        assert enrolled.verify().status == 200

    def test_another_users_secret_does_not_open(self, aws: EmbeddedAws, enrolled: User) -> None:
        """An attacker who may write to the table cannot give a user a secret of their own."""
        other = User(enrolled.load, user_id="user-2")
        other.enrol()
        stolen = aws.item("user-2")
        aws.set("user-1", encrypted_secret=stolen["encrypted_secret"])
        assert enrolled.verify(other.code(steps=1)).error == "INTERNAL_ERROR"


def test_an_item_without_status_counts_as_enabled(aws: EmbeddedAws, enrolled: User) -> None:
    aws.set("user-1", status=None, version=None)
    assert enrolled.verify().status == 200
    enrolled.wait()
    assert enrolled.verify().status == 200


class TestMetrics:
    def test_of_each_outcome(self, enrolled: User, emitted: Emitted) -> None:
        def counted(call: Callable[..., object], *arguments: Any) -> dict[str, float]:
            emitted()
            call(*arguments)
            return emitted()

        attempt, opened = {"MFAVerificationAttempts": 1}, {"MFASecretDecryptions": 1}
        success = {**attempt, "SuccessfulMFAVerifications": 1, **opened}
        rejected = {**attempt, "MFAVerificationRejections": 1}
        wrong = {**rejected, "InvalidMFACodes": 1, **opened}
        code = enrolled.code()
        assert counted(enrolled.verify, code) == success
        assert counted(enrolled.verify, code) == {**rejected, **opened}  # sent twice
        enrolled.wait(REPETITION_SECONDS + 1)
        assert counted(enrolled.verify, code) == {**wrong, "MFAReplaysRejected": 1}
        for _ in range(3):
            assert counted(enrolled.verify, enrolled.wrong_code()) == wrong
        assert counted(enrolled.verify, enrolled.wrong_code()) == {**wrong, "MFALockouts": 1}
        assert counted(enrolled.verify) == {**rejected, "MFALockedAttempts": 1}
        assert counted(enrolled.verify_backup, enrolled.backup_codes[0]) == {**success, "MFABackupCodesUsed": 1}
