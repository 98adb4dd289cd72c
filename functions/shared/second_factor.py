"""The check that guards verify, disable and backup-codes, written once, so that no route is weaker than the others.

It reads the record, refuses if the factor is locked, decrypts the secret and compares the code. Then it makes one
conditional write, for success and failure alike, and only then returns: three AWS calls, one if locked.
"""

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from functions.shared.backup_codes import BackupCodeKeys
from functions.shared.clock import Clock
from functions.shared.contract import REPETITION_SECONDS, Factor, Metric
from functions.shared.decryption import EnvelopeOpener, Opener
from functions.shared.encryption import master_key
from functions.shared.errors import InvalidCodeError, MfaNotEnabledError, TooManyAttemptsError
from functions.shared.lockout import Failures
from functions.shared.races import losing_slowly
from functions.shared.record import MfaRecord, RecordDamagedError
from functions.shared.repository import DynamoDbMfaRepository, MfaRepository
from functions.shared.request_body import OfferedCode
from functions.shared.settings import read_encryption_key, read_table_name
from functions.shared.totp import matching_step

type Count = Callable[[Metric], None]
"""Counts a metric."""
type Change = Callable[[MfaRecord, str], MfaRecord]
"""What a route changes on success. It takes the record, with the code already burned, and the base32 secret, and
returns the record to store."""
type Prepare = Callable[[str], None]
"""A route's work on the base32 secret that takes measurable time."""


@dataclass(frozen=True)
class _Judgement:
    """The result of comparing a code with a record: the record with the code burned, or None if it is refused.

    ``replayed`` says that the code was used before, ``last_used`` that no other code of its factor was used since.
    """

    burned: MfaRecord | None
    replayed: bool = False
    last_used: bool = False


@dataclass(frozen=True)
class _Opened:
    """A record whose factor is not locked, its secret, and when it was read."""

    record: MfaRecord
    secret: str = field(repr=False)
    at: float


@dataclass(frozen=True)
class Success:
    """An accepted code, after the write.

    Attributes
    ----------
    record : MfaRecord
        The record as it is stored now.
    failures : Failures
        The wrong codes of the same factor since its last accepted code, which this one reset.
    """

    record: MfaRecord
    failures: Failures


class SecondFactor:
    """Checks second factors.

    Parameters
    ----------
    repository : MfaRepository
        Stores the records.
    opener : Opener
        Decrypts secrets.
    clock : callable
        The current time in epoch seconds.
    pause : callable
        Waits for a number of seconds.
    """

    def __init__(
        self,
        *,
        repository: MfaRepository,
        opener: Opener,
        clock: Clock = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._repository = repository
        self._opener = opener
        self._clock = clock
        self._pause = pause

    def require(
        self,
        user_id: str,
        offered: OfferedCode,
        change: Change = lambda record, _: record,
        *,
        request_id: str,
        count: Count,
        prepare: Prepare = lambda _: None,
        signs: bool = False,
    ) -> Success:
        """Accept a code, burn it and apply a change, all in one write; or refuse it.

        ``prepare`` runs before the code is compared, for right and wrong codes alike. Otherwise the time until a
        request loses a race would show whether its code was right. ``signs`` says that the change signs a proof.

        Raises
        ------
        MfaNotEnabledError
            The user has no second factor.
        TooManyAttemptsError
            The factor is locked; the code was not compared.
        InvalidCodeError
            The code is wrong or already used; the attempt is counted, unless it repeats a request that was accepted
            in the last seconds.
        ConflictError
            Another request was faster; whether the code was right is not revealed.
        RecordDamagedError, ServiceUnavailableError
            The check failed; nothing changed and no attempt was counted.
        """
        opened = self._open(user_id, offered, count, prepare)
        with losing_slowly(self._repository, opened.record, signs=signs, pause=self._pause):
            changed = change(self._burned(opened, offered, request_id, count), opened.secret)
            stored = self._repository.swap(opened.record, changed, request_id=request_id, now=opened.at)
        _count_use(offered, count)
        return Success(stored, opened.record.failures(offered.factor))

    def require_and_remove(self, user_id: str, offered: OfferedCode, *, request_id: str, count: Count) -> None:
        """Accept a code and remove the user's record, in one write; or refuse it. See `require`."""
        opened = self._open(user_id, offered, count)
        with losing_slowly(self._repository, opened.record, signs=False, pause=self._pause):
            self._burned(opened, offered, request_id, count)
            self._repository.remove(opened.record)
        _count_use(offered, count)

    def _open(self, user_id: str, offered: OfferedCode, count: Count, prepare: Prepare = lambda _: None) -> _Opened:
        """Return a user's record with its secret, or refuse if the factor is off or locked."""
        now = self._clock()
        record = self._repository.get(user_id)
        if record is None or not record.enabled:
            raise MfaNotEnabledError
        retry_after = record.failures(offered.factor).retry_after(now)
        if retry_after != 0:
            count(Metric.LOCKED_ATTEMPTS)
            raise TooManyAttemptsError(retry_after)
        secret = open_secret(self._opener, record, count)
        prepare(secret)
        return _Opened(record, secret, now)

    def _burned(self, opened: _Opened, offered: OfferedCode, request_id: str, count: Count) -> MfaRecord:
        """Return the record with an accepted code burned, and nothing written yet; or write the failure and refuse."""
        record, now = opened.record, opened.at
        judge = _judge_totp if offered.factor is Factor.TOTP else _judge_backup_code
        judgement = judge(record, opened.secret, offered.code, now)
        if judgement.burned is None:
            failures = record.failures(offered.factor)
            if _is_repetition(record, failures, judgement, now):
                raise InvalidCodeError
            failures = failures.after(now)
            failed = record.with_failures(offered.factor, failures)
            self._repository.swap(record, failed, request_id=request_id, now=now)
            _refuse(failures, judgement, count)
        return judgement.burned.with_failures(offered.factor, Failures())


def _is_repetition(record: MfaRecord, failures: Failures, judgement: _Judgement, now: float) -> bool:
    """Return whether a code was sent again right after it was accepted, as password managers and double clicks do."""
    accepted_last = judgement.last_used and failures.count == 0
    return accepted_last and record.updated_at is not None and now - record.updated_at <= REPETITION_SECONDS


def _refuse(failures: Failures, judgement: _Judgement, count: Count) -> NoReturn:
    count(Metric.INVALID_CODES)
    if judgement.replayed:
        count(Metric.REPLAYS_REJECTED)
    if failures.locked_until() is not None:
        count(Metric.LOCKOUTS)
    raise InvalidCodeError


def _count_use(offered: OfferedCode, count: Count) -> None:
    if offered.factor is Factor.BACKUP_CODE:
        count(Metric.BACKUP_CODES_USED)


def second_factor_from_environ(environ: Mapping[str, str], clock: Clock = time.time) -> SecondFactor:
    """Return the check with the table and the key that the environment names.

    Raises
    ------
    ConfigurationError
        A variable is missing or wrong.
    """
    return SecondFactor(
        repository=DynamoDbMfaRepository(read_table_name(environ)),
        opener=EnvelopeOpener(master_key(read_encryption_key(environ))),
        clock=clock,
    )


def open_secret(opener: Opener, record: MfaRecord, count: Count) -> str:
    """Return the base32 secret of a record, and count the use of the key.

    Raises
    ------
    RecordDamagedError
        The record has no secret, or not one that was encrypted for this user.
    ServiceUnavailableError
        KMS failed.
    """
    if record.encrypted_secret is None:
        raise RecordDamagedError
    count(Metric.SECRET_DECRYPTIONS)
    return opener.open(record.encrypted_secret, user_id=record.user_id)


def backup_code_keys(secret: str, salt: bytes | None) -> BackupCodeKeys:
    """Return the keys of a record's backup codes.

    Raises
    ------
    RecordDamagedError
        The record has no salt.
    """
    if salt is None:
        raise RecordDamagedError
    return BackupCodeKeys.derive(secret=base64.b32decode(secret), salt=salt)


def _judge_totp(record: MfaRecord, secret: str, code: str, now: float) -> _Judgement:
    step = matching_step(secret, code, now=now)
    if step is None:
        return _Judgement(None)
    if record.last_used_step is not None and step <= record.last_used_step:
        return _Judgement(None, replayed=True, last_used=step == record.last_used_step)
    return _Judgement(replace(record, last_used_step=step))


def _judge_backup_code(record: MfaRecord, secret: str, code: str, _now: float) -> _Judgement:
    hashed = backup_code_keys(secret, record.backup_codes_salt).hash(code)
    unused = [stored for stored in record.backup_codes if not _same(stored, hashed)]
    replayed = [_same(stored, hashed) for stored in record.backup_codes_used]
    if len(unused) == len(record.backup_codes):
        return _Judgement(None, replayed=any(replayed), last_used=replayed[-1:] == [True])
    burned = replace(record, backup_codes=tuple(unused), backup_codes_used=(*record.backup_codes_used, hashed))
    return _Judgement(burned)


def _same(stored: str, offered: str) -> bool:
    return hmac.compare_digest(stored.encode(), offered.encode())
