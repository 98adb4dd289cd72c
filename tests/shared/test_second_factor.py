"""The check behind verify, disable and backup-codes, with its collaborators in memory."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyotp
import pytest

from functions.shared.contract import FREE_ATTEMPTS, MAX_CONSECUTIVE_FAILURES, REPETITION_SECONDS, Factor, Metric
from functions.shared.errors import (
    ConflictError,
    InvalidCodeError,
    MfaNotEnabledError,
    ServiceUnavailableError,
    TooManyAttemptsError,
)
from functions.shared.identity import Identity
from functions.shared.lockout import Failures
from functions.shared.races import LOST_RACE_SECONDS, LOST_SIGNING_RACE_SECONDS
from functions.shared.record import MfaRecord, RecordDamagedError
from functions.shared.request_body import OfferedCode, SecondFactorRequest
from functions.shared.second_factor import SecondFactor
from functions.verify_mfa_setup.service import VerifySetupService
from tests.support.records import KEYS, NOW, SECRET, MemoryRepository, pending, record

TOTP = OfferedCode(Factor.TOTP, pyotp.TOTP(SECRET).at(NOW))
BACKUP = OfferedCode(Factor.BACKUP_CODE, KEYS.codes()[3])
WRONG = {
    Factor.TOTP: OfferedCode(Factor.TOTP, pyotp.TOTP(SECRET).at(NOW - 3000)),
    Factor.BACKUP_CODE: OfferedCode(Factor.BACKUP_CODE, "ZZZZ-9999"),
}
RIGHT = {Factor.TOTP: TOTP, Factor.BACKUP_CODE: BACKUP}
FACTORS = pytest.mark.parametrize("factor", Factor)
LOCKED = Failures(FREE_ATTEMPTS, NOW)
ADA = Identity("user-1", "ada@example.com")


@dataclass
class Check:
    """A check of user-1's second factor, with what it stores and counts."""

    repository: MemoryRepository = field(default_factory=MemoryRepository)
    counted: list[Metric] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    failure: Exception | None = None
    before_write: Callable[[], object] | None = None
    now: float = NOW
    pauses: list[float] = field(default_factory=list)

    def open(self, message: str, *, user_id: str) -> str:
        self.opened.append(f"{user_id}: {message}")
        if self.failure is not None:
            raise self.failure
        if self.before_write is not None:
            self.before_write()
        return SECRET

    @property
    def stored(self) -> MfaRecord:
        return self.repository.records["user-1"]

    def second_factor(self) -> SecondFactor:
        return SecondFactor(repository=self.repository, opener=self, clock=lambda: self.now, pause=self.pauses.append)

    def require(self, offered: OfferedCode, *change: Any, **options: Any) -> MfaRecord:
        return (
            self.second_factor()
            .require("user-1", offered, *change, request_id="request-1", count=self.counted.append, **options)
            .record
        )

    def remove(self, offered: OfferedCode) -> None:
        self.second_factor().require_and_remove("user-1", offered, request_id="request-1", count=self.counted.append)


@pytest.fixture
def check() -> Check:
    ready = Check()
    ready.repository.store(record())
    return ready


class TestAccepted:
    def test_a_totp_code_burns_its_step_in_one_write(self, check: Check) -> None:
        stored = check.require(TOTP)
        assert stored == check.stored == record(last_used_step=NOW // 30, version=stored.version, updated_at=NOW)
        assert check.repository.request_ids == ["request-1"]
        assert check.counted == [Metric.SECRET_DECRYPTIONS]

    def test_a_backup_code_moves_to_the_used_ones_in_one_write(self, check: Check) -> None:
        stored = check.require(BACKUP)
        hashes = KEYS.hashes()
        assert stored == check.stored
        assert stored.backup_codes == (*hashes[:3], *hashes[4:])
        assert stored.backup_codes_used == (hashes[3],)
        assert stored.last_used_step == record().last_used_step
        assert check.repository.request_ids == ["request-1"]
        assert check.counted == [Metric.SECRET_DECRYPTIONS, Metric.BACKUP_CODES_USED]

    def test_a_change_is_part_of_the_write_and_sees_the_burned_record_and_the_secret(self, check: Check) -> None:
        seen: list[tuple[MfaRecord, str]] = []

        def change(burned: MfaRecord, secret: str) -> MfaRecord:
            seen.append((burned, secret))
            return replace(burned, backup_codes=("new",))

        stored = check.require(TOTP, change)
        assert seen == [(record(last_used_step=NOW // 30), SECRET)]
        assert (stored.backup_codes, stored.last_used_step) == (("new",), NOW // 30)
        assert check.repository.request_ids == ["request-1"]

    @FACTORS
    def test_a_right_code_resets_the_failures_of_its_factor_only(self, check: Check, factor: Factor) -> None:
        failed = Failures(FREE_ATTEMPTS - 1, NOW - 5)
        check.repository.store(record().with_failures(Factor.TOTP, failed).with_failures(Factor.BACKUP_CODE, failed))
        check.require(RIGHT[factor])
        (other,) = set(Factor) - {factor}
        assert (check.stored.failures(factor), check.stored.failures(other)) == (Failures(), failed)

    @FACTORS
    def test_a_right_code_removes_the_record(self, check: Check, factor: Factor) -> None:
        check.remove(RIGHT[factor])
        assert check.repository.records == {}
        assert check.repository.request_ids == []


@pytest.mark.parametrize("call", [Check.require, Check.remove])
class TestRefused:
    @FACTORS
    def test_a_wrong_code_is_counted_for_its_factor_and_changes_nothing_else(
        self, check: Check, call: Callable[..., object], factor: Factor
    ) -> None:
        with pytest.raises(InvalidCodeError):
            call(check, WRONG[factor])
        failed = record(version=check.stored.version, updated_at=NOW).with_failures(factor, Failures(1, NOW))
        assert check.stored == failed
        assert check.counted == [Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES]

    @FACTORS
    def test_a_used_code_is_refused_like_a_wrong_one_and_counted_as_a_replay(
        self, check: Check, call: Callable[..., object], factor: Factor
    ) -> None:
        check.require(RIGHT[factor])
        check.counted.clear()
        check.now = NOW + REPETITION_SECONDS + 1
        with pytest.raises(InvalidCodeError):
            call(check, RIGHT[factor])
        assert check.stored.failures(factor) == Failures(1, NOW + REPETITION_SECONDS + 1)
        assert check.counted == [Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES, Metric.REPLAYS_REJECTED]

    @FACTORS
    def test_the_code_that_locks_its_factor_is_counted_as_a_lockout(
        self, check: Check, call: Callable[..., object], factor: Factor
    ) -> None:
        check.repository.store(record().with_failures(factor, Failures(FREE_ATTEMPTS - 1, NOW - 5)))
        with pytest.raises(InvalidCodeError):
            call(check, WRONG[factor])
        assert check.counted == [Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES, Metric.LOCKOUTS]

    @FACTORS
    def test_a_locked_factor_is_refused_without_decrypting_or_writing(
        self, check: Check, call: Callable[..., object], factor: Factor
    ) -> None:
        locked = record().with_failures(factor, LOCKED)
        check.repository.store(locked)
        for offered in (RIGHT[factor], WRONG[factor]):
            with pytest.raises(TooManyAttemptsError) as caught:
                call(check, offered)
            assert caught.value.retry_after == 60
        assert check.stored == locked
        assert check.opened == check.repository.request_ids == []
        assert check.counted == [Metric.LOCKED_ATTEMPTS] * 2

    def test_a_permanent_lock_names_no_time(self, check: Check, call: Callable[..., object]) -> None:
        check.repository.store(record().with_failures(Factor.TOTP, Failures(MAX_CONSECUTIVE_FAILURES, 0)))
        with pytest.raises(TooManyAttemptsError) as caught:
            call(check, TOTP)
        assert caught.value.retry_after is None

    @pytest.mark.parametrize("stored", [None, pending(), pending(encrypted_secret=None)], ids=["none", "pending", "no"])
    def test_without_a_second_factor_nothing_is_decrypted(
        self, check: Check, call: Callable[..., object], stored: MfaRecord | None
    ) -> None:
        check.repository.records = {} if stored is None else {"user-1": stored}
        with pytest.raises(MfaNotEnabledError):
            call(check, TOTP)
        assert check.opened == check.counted == []

    @pytest.mark.parametrize("offered", [*RIGHT.values(), *WRONG.values()], ids=str)
    def test_a_request_that_was_overtaken_learns_nothing_and_counts_nothing(
        self, check: Check, call: Callable[..., object], offered: OfferedCode
    ) -> None:
        overtaking = record(version=2000)
        check.before_write = lambda: check.repository.store(overtaking)
        with pytest.raises(ConflictError):
            call(check, offered)
        assert check.stored == overtaking
        assert check.counted == [Metric.SECRET_DECRYPTIONS]

    @pytest.mark.parametrize("failure", [ServiceUnavailableError("kms:Decrypt", "Timeout"), RecordDamagedError()])
    def test_a_secret_that_cannot_be_decrypted_is_no_attempt(
        self, check: Check, call: Callable[..., object], failure: Exception
    ) -> None:
        check.failure = failure
        with pytest.raises(type(failure)):
            call(check, WRONG[Factor.TOTP])
        assert check.stored == record()

    @pytest.mark.parametrize(
        ("damage", "offered"),
        [({"encrypted_secret": None}, TOTP), ({"backup_codes_salt": None}, BACKUP)],
        ids=["no secret", "no salt"],
    )
    def test_a_damaged_record_accepts_no_code(
        self, check: Check, call: Callable[..., object], damage: dict[str, Any], offered: OfferedCode
    ) -> None:
        check.repository.store(record(**damage))
        with pytest.raises(RecordDamagedError):
            call(check, offered)
        assert check.stored == record(**damage)


def test_a_wrong_code_applies_no_change(check: Check) -> None:
    with pytest.raises(InvalidCodeError):
        check.require(WRONG[Factor.TOTP], lambda *_: pytest.fail("was applied"))


@pytest.mark.parametrize("offered", [TOTP, WRONG[Factor.TOTP]], ids=["right", "wrong"])
def test_a_route_prepares_the_same_for_right_and_wrong_codes(check: Check, offered: OfferedCode) -> None:
    """Of parallel guesses only one is counted: how long the others take must not show which of them is right."""
    prepared: list[str] = []
    with suppress(InvalidCodeError):
        check.require(offered, prepare=prepared.append)
    assert prepared == [SECRET]


def confirm(check: Check, offered: OfferedCode) -> None:
    """Confirm a pending enrolment."""
    check.repository.store(pending(version=check.stored.version))
    service = VerifySetupService(
        repository=check.repository, opener=check, clock=lambda: NOW, pause=check.pauses.append
    )
    service.verify(ADA, offered.code, request_id="request-1", count=check.counted.append)


@pytest.mark.parametrize("failure", [ServiceUnavailableError("kms:Decrypt", "Timeout"), RecordDamagedError()])
def test_an_enrolment_whose_secret_cannot_be_decrypted_is_not_confirmed(check: Check, failure: Exception) -> None:
    check.failure = failure
    with pytest.raises(type(failure)):
        confirm(check, TOTP)
    assert check.stored == pending()


def signing(check: Check, offered: OfferedCode) -> None:
    check.require(offered, signs=True)


@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        (Check.require, LOST_RACE_SECONDS),
        (Check.remove, LOST_RACE_SECONDS),
        (confirm, LOST_RACE_SECONDS),
        (signing, LOST_SIGNING_RACE_SECONDS),
    ],
    ids=["require", "remove", "confirm", "with a signature"],
)
@pytest.mark.parametrize("offered", [TOTP, WRONG[Factor.TOTP]], ids=["right", "wrong"])
def test_a_request_that_loses_a_race_waits_until_its_work_no_longer_shows(
    check: Check, call: Callable[..., object], seconds: float, offered: OfferedCode
) -> None:
    check.before_write = lambda: check.repository.store(replace(check.stored, version=7))
    with pytest.raises(ConflictError):
        call(check, offered)
    (pause,) = check.pauses
    assert seconds - LOST_RACE_SECONDS / 2 < pause <= seconds


def test_a_change_that_fails_burns_nothing(check: Check) -> None:
    def fail(*_: object) -> MfaRecord:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        check.require(TOTP, fail)
    assert check.stored == record()


@pytest.mark.parametrize("call", [Check.require, Check.remove])
class TestRepeated:
    """A code that is sent again right after it was accepted, as password managers and double clicks do."""

    def uncounted(self, check: Check, call: Callable[..., object], offered: OfferedCode) -> bool:
        before, writes = check.stored, len(check.repository.request_ids)
        check.counted.clear()
        with pytest.raises(InvalidCodeError):
            call(check, offered)
        if check.stored == before:
            assert check.counted == [Metric.SECRET_DECRYPTIONS]
            assert len(check.repository.request_ids) == writes
            return True
        assert check.counted[:2] == [Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES]
        return False

    @FACTORS
    @pytest.mark.parametrize("later", [0, 0.3, 2, REPETITION_SECONDS, -1])
    def test_within_seconds_it_is_refused_without_a_write_or_a_count(
        self, check: Check, call: Callable[..., object], factor: Factor, later: float
    ) -> None:
        check.require(RIGHT[factor])
        check.now = NOW + later
        for _ in range(2 * FREE_ATTEMPTS):
            assert self.uncounted(check, call, RIGHT[factor])

    @FACTORS
    def test_after_a_wrong_code_it_counts(self, check: Check, call: Callable[..., object], factor: Factor) -> None:
        check.require(RIGHT[factor])
        assert not self.uncounted(check, call, WRONG[factor])
        assert not self.uncounted(check, call, RIGHT[factor])
        assert check.stored.failures(factor).count == 2

    def test_only_the_last_used_code_is_one(self, check: Check, call: Callable[..., object]) -> None:
        first, second = (OfferedCode(Factor.BACKUP_CODE, code) for code in KEYS.codes()[:2])
        before = OfferedCode(Factor.TOTP, pyotp.TOTP(SECRET).at(NOW - 30))
        for offered in (before, TOTP, first, second):
            check.require(offered)
        accepted = check.stored
        for offered, uncounted in ((before, False), (TOTP, True), (first, False), (second, True)):
            check.repository.store(accepted)
            assert self.uncounted(check, call, offered) is uncounted

    def test_without_a_readable_time_it_counts(self, check: Check, call: Callable[..., object]) -> None:
        check.require(TOTP)
        check.repository.store(replace(check.stored, updated_at=None))
        assert not self.uncounted(check, call, TOTP)

    def test_the_code_of_the_enrolment_too(self, check: Check, call: Callable[..., object]) -> None:
        check.repository.store(pending())
        service = VerifySetupService(repository=check.repository, opener=check, clock=lambda: NOW)
        service.verify(ADA, TOTP.code, request_id="request-0", count=check.counted.append)
        assert self.uncounted(check, call, TOTP)


class TestCodesOfAnOlderVersion:
    """Codes with any letter, and the hashes that the version which gave them out stored for `SECRET` and `SALT`."""

    OLDER: dict[str, list[str]] = json.loads(Path(__file__).with_name("older_backup_codes.json").read_text())

    def test_each_works_once(self, check: Check) -> None:
        assert any(set(code) & set("AEIOUY") for code in self.OLDER["codes"])
        check.repository.store(record(backup_codes=tuple(self.OLDER["hashes"])))
        for left, code in enumerate(reversed(self.OLDER["codes"])):
            typed = SecondFactorRequest(backupCode=code.lower()).offered_code()
            assert len(check.require(typed).backup_codes) == 7 - left
        with pytest.raises(InvalidCodeError):
            check.require(OfferedCode(Factor.BACKUP_CODE, self.OLDER["codes"][0]))

    def test_an_enrolment_begun_by_it_gets_codes_that_work(self, check: Check) -> None:
        check.repository.store(pending(backup_codes=tuple(self.OLDER["hashes"])))
        service = VerifySetupService(repository=check.repository, opener=check, clock=lambda: NOW)
        before = pyotp.TOTP(SECRET).at(NOW - 30)
        shown = service.verify(ADA, before, request_id="request-0", count=check.counted.append).backup_codes
        for left, code in enumerate(shown):
            assert len(check.require(OfferedCode(Factor.BACKUP_CODE, code)).backup_codes) == 7 - left
