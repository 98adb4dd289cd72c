"""The check that guards verify, disable and backup-codes: written once, so that no route can be the weaker one.

Read the record, refuse if the factor is locked, open the secret, compare, then one conditional write, for success
and failure alike, and only then the answer: three AWS calls, one when locked.
"""

import base64
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from functions.shared.backup_codes import BackupCodeKeys
from functions.shared.clock import Clock
from functions.shared.contract import Metric
from functions.shared.decryption import EnvelopeOpener, Opener
from functions.shared.encryption import master_key
from functions.shared.errors import InvalidCodeError, MfaNotEnabledError, TooManyAttemptsError
from functions.shared.http import Request
from functions.shared.lockout import Failures
from functions.shared.record import MfaRecord, RecordDamagedError
from functions.shared.repository import DynamoDbMfaRepository, MfaRepository
from functions.shared.request_body import Method, Proof
from functions.shared.settings import read_encryption_key, read_table_name
from functions.shared.totp import matching_step

type Change = Callable[[MfaRecord, str], MfaRecord]
"""What a route does on success: from the record, the code already burned in it, and the base32 secret to the record
to store."""


@dataclass(frozen=True)
class _Judgement:
    """What comparing a code with a record came to: the record with the code burned in it, or None if it is refused."""

    burned: MfaRecord | None
    replayed: bool = False


@dataclass(frozen=True)
class _Accepted:
    """An accepted code before anything is written."""

    read: MfaRecord
    burned: MfaRecord
    secret: str
    at: float


class SecondFactor:
    """Checks second factors.

    Parameters
    ----------
    repository : MfaRepository
        Keeps the records.
    opener : Opener
        Opens secrets.
    clock : callable
        The present time in epoch seconds.
    """

    def __init__(self, *, repository: MfaRepository, opener: Opener, clock: Clock = time.time) -> None:
        self._repository = repository
        self._opener = opener
        self._clock = clock

    def require(self, request: Request, proof: Proof, change: Change = lambda record, _: record) -> MfaRecord:
        """Accept a code, burn it and apply a change, all in one write; or refuse.

        Returns
        -------
        MfaRecord
            What is stored now.

        Raises
        ------
        MfaNotEnabledError
            The user has no second factor.
        TooManyAttemptsError
            The factor is locked; the code was not looked at.
        InvalidCodeError
            The code is wrong or already used; the attempt is counted.
        ConflictError
            Another request was faster; whether the code was right is not told.
        RecordDamagedError, ServiceUnavailableError
            The check could not be made; nothing changed and no attempt was counted.
        """
        accepted = self._examine(request, proof)
        changed = change(accepted.burned, accepted.secret)
        stored = self._repository.swap(accepted.read, changed, request_id=request.request_id, now=accepted.at)
        _count_use(request, proof)
        return stored

    def require_and_remove(self, request: Request, proof: Proof) -> None:
        """Accept a code and remove the user's record, in one write; or refuse, see `require`."""
        self._repository.remove(self._examine(request, proof).read)
        _count_use(request, proof)

    def _examine(self, request: Request, proof: Proof) -> _Accepted:
        """Return what an accepted code leads to, not yet written; or write the failure and refuse."""
        now = self._clock()
        record = self._repository.get(request.identity.user_id)
        if record is None or not record.enabled:
            raise MfaNotEnabledError
        failures = record.totp_failures if proof.method is Method.TOTP else record.backup_failures
        retry_after = failures.retry_after(now)
        if retry_after != 0:
            request.count(Metric.LOCKED_ATTEMPTS)
            raise TooManyAttemptsError(retry_after)
        secret = open_secret(self._opener, record, request)
        judge = _judge_totp if proof.method is Method.TOTP else _judge_backup_code
        judgement = judge(record, secret, proof.code, now)
        if judgement.burned is None:
            self._refuse(request, record, judgement, failures.after(now), proof.method, now)
        return _Accepted(record, _with_failures(judgement.burned, proof.method, Failures()), secret, now)

    def _refuse(
        self, request: Request, record: MfaRecord, judgement: _Judgement, failures: Failures, method: Method, now: float
    ) -> NoReturn:
        self._repository.swap(record, _with_failures(record, method, failures), request_id=request.request_id, now=now)
        request.count(Metric.INVALID_CODES)
        if judgement.replayed:
            request.count(Metric.REPLAYS_REJECTED)
        if failures.locked_until() is not None:
            request.count(Metric.LOCKOUTS)
        raise InvalidCodeError


def second_factor_from_environ(environ: Mapping[str, str]) -> SecondFactor:
    """Return the check with the table and the key that the environment names.

    Raises
    ------
    ConfigurationError
        A variable is missing or wrong.
    """
    return SecondFactor(
        repository=DynamoDbMfaRepository(read_table_name(environ)),
        opener=EnvelopeOpener(master_key(read_encryption_key(environ))),
    )


def _count_use(request: Request, proof: Proof) -> None:
    if proof.method is Method.BACKUP_CODE:
        request.count(Metric.BACKUP_CODES_USED)


def _with_failures(record: MfaRecord, method: Method, failures: Failures) -> MfaRecord:
    if method is Method.TOTP:
        return replace(record, failed_attempts=failures.count, last_failed_at=failures.last_at)
    return replace(record, backup_failed_attempts=failures.count, backup_last_failed_at=failures.last_at)


def open_secret(opener: Opener, record: MfaRecord, request: Request) -> str:
    """Return the base32 secret of a record, and count the use of the key.

    Raises
    ------
    RecordDamagedError
        There is none, or it is not what was sealed for this user.
    ServiceUnavailableError
        KMS failed.
    """
    if record.encrypted_secret is None:
        raise RecordDamagedError
    request.count(Metric.SECRET_DECRYPTIONS)
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
        return _Judgement(None, replayed=True)
    return _Judgement(replace(record, last_used_step=step))


def _judge_backup_code(record: MfaRecord, secret: str, code: str, _now: float) -> _Judgement:
    hashed = backup_code_keys(secret, record.backup_codes_salt).hash(code)
    unused = [stored for stored in record.backup_codes if not _same(stored, hashed)]
    if len(unused) == len(record.backup_codes):
        replayed = sum(_same(stored, hashed) for stored in record.backup_codes_used) > 0
        return _Judgement(None, replayed=replayed)
    burned = replace(record, backup_codes=tuple(unused), backup_codes_used=(*record.backup_codes_used, hashed))
    return _Judgement(burned)


def _same(stored: str, offered: str) -> bool:
    return hmac.compare_digest(stored.encode(), offered.encode())
