"""Confirmation of an enrolment by its first code."""

import time
from dataclasses import replace

from functions.shared.clock import Clock, iso_timestamp
from functions.shared.contract import PENDING_MAX_FAILURES, Metric, Status
from functions.shared.decryption import Opener
from functions.shared.errors import InvalidCodeError, MfaAlreadyEnabledError
from functions.shared.http import Request
from functions.shared.record import MfaRecord
from functions.shared.repository import MfaRepository
from functions.shared.request_body import TotpRequest
from functions.shared.second_factor import backup_code_keys, open_secret
from functions.shared.totp import matching_step
from functions.verify_mfa_setup.errors import MfaSetupExpiredError, MfaSetupNotFoundError
from functions.verify_mfa_setup.models import VerifySetupResponse


class VerifySetupService:
    """Turns pending enrolments on.

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

    def verify(self, request: Request, body: TotpRequest) -> VerifySetupResponse:
        """Enable the enrolment that the code was made with, and burn the code: it does not log in as well.

        Raises
        ------
        MfaSetupNotFoundError, MfaSetupExpiredError, MfaAlreadyEnabledError
            There is nothing to confirm.
        InvalidCodeError
            The code is wrong; ten wrong codes discard the enrolment.
        ConflictError
            The enrolment changed meanwhile: another setup replaced it, or another request confirmed it.
        RecordDamagedError, ServiceUnavailableError
            The check could not be made; nothing changed.
        """
        now = self._clock()
        record = self._repository.get(request.identity.user_id)
        if record is None or (not record.enabled and record.encrypted_secret is None):
            raise MfaSetupNotFoundError
        if record.enabled:
            raise MfaAlreadyEnabledError
        if not record.pending_at(now):
            raise MfaSetupExpiredError
        secret = open_secret(self._opener, record, request)
        step = matching_step(secret, body.code, now=now)
        if step is None:
            self._repository.swap(record, _after_failure(record, now), request_id=request.request_id, now=now)
            request.count(Metric.INVALID_CODES)
            raise InvalidCodeError
        codes = backup_code_keys(secret, record.backup_codes_salt).codes()
        enabled = replace(
            record,
            status=Status.ENABLED,
            enabled_at=int(now),
            expires_at=None,
            last_used_step=step,
            failed_attempts=0,
            last_failed_at=None,
        )
        self._repository.swap(record, enabled, request_id=request.request_id, now=now)
        return VerifySetupResponse(backup_codes=codes, enabled_at=iso_timestamp(now))


def _after_failure(record: MfaRecord, now: float) -> MfaRecord:
    failed = replace(record, failed_attempts=record.failed_attempts + 1, last_failed_at=int(now))
    if failed.failed_attempts < PENDING_MAX_FAILURES:
        return failed
    # What is left holds no secret, counts as nothing pending, and expires now, so that the table's TTL removes it.
    return replace(failed, encrypted_secret=None, iv=None, backup_codes=(), backup_codes_salt=None, expires_at=int(now))
