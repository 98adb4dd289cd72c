"""Confirmation of an enrolment by its first code."""

import time
from collections.abc import Callable
from dataclasses import replace

from functions.shared.clock import Clock, iso_timestamp
from functions.shared.contract import PENDING_MAX_FAILURES, Factor, Metric, Status
from functions.shared.decryption import Opener
from functions.shared.errors import InvalidCodeError, MfaAlreadyEnabledError
from functions.shared.identity import AccessToken, Identity
from functions.shared.lockout import Failures
from functions.shared.proof import Prover
from functions.shared.races import losing_slowly
from functions.shared.record import MfaRecord
from functions.shared.repository import MfaRepository
from functions.shared.second_factor import Count, backup_code_keys, open_secret
from functions.shared.totp import matching_step
from functions.verify_mfa_setup.errors import MfaSetupExpiredError, MfaSetupNotFoundError
from functions.verify_mfa_setup.models import VerifySetupResponse


class VerifySetupService:
    """Confirms pending enrolments.

    Parameters
    ----------
    repository : MfaRepository
        Stores the records.
    opener : Opener
        Decrypts secrets.
    prover : Prover or None
        Issues proofs; None if they are off.
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
        prover: Prover | None = None,
        clock: Clock = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._repository = repository
        self._opener = opener
        self._prover = prover
        self._clock = clock
        self._pause = pause

    def verify(self, identity: Identity, code: str, *, request_id: str, count: Count) -> VerifySetupResponse:
        """Turn the second factor on if the code is right, and burn the code, so that it cannot also log in.

        Raises
        ------
        UnauthorizedError
            Proofs are on, and the access token has no ``sub``.
        MfaSetupNotFoundError, MfaSetupExpiredError, MfaAlreadyEnabledError
            There is no enrolment to confirm.
        InvalidCodeError
            The code is wrong; ten wrong codes discard the enrolment.
        ConflictError
            The enrolment changed meanwhile: another setup replaced it, or another request confirmed it.
        RecordDamagedError, ServiceUnavailableError
            The check failed; nothing changed.
        """
        now = self._clock()
        access_token = identity.require_access_token() if self._prover else None
        record = self._repository.get(identity.user_id)
        if record is None or (not record.enabled and record.encrypted_secret is None):
            raise MfaSetupNotFoundError
        if record.enabled:
            raise MfaAlreadyEnabledError
        if not record.pending_at(now):
            raise MfaSetupExpiredError
        secret = open_secret(self._opener, record, count)
        with losing_slowly(self._repository, record, signs=self._prover is not None, pause=self._pause):
            return self._confirm(record, secret, code, access_token, now=now, request_id=request_id, count=count)

    def _confirm(
        self,
        record: MfaRecord,
        secret: str,
        code: str,
        access_token: AccessToken | None,
        *,
        now: float,
        request_id: str,
        count: Count,
    ) -> VerifySetupResponse:
        step = matching_step(secret, code, now=now)
        if step is None:
            self._repository.swap(record, _after_failure(record, now), request_id=request_id, now=now)
            count(Metric.INVALID_CODES)
            raise InvalidCodeError
        keys = backup_code_keys(secret, record.backup_codes_salt)
        codes = keys.codes()
        enabled = replace(
            record.with_failures(Factor.TOTP, Failures()),
            status=Status.ENABLED,
            # Stored again, because another version of setup may have stored other hashes: the codes shown must work.
            backup_codes=tuple(map(keys.hash, codes)),
            enabled_at=int(now),
            expires_at=None,
            last_used_step=step,
        )
        # Before the write: if the proof cannot be signed, nothing has changed.
        proof = self._prover.prove(access_token, Factor.TOTP, count=count) if self._prover and access_token else None
        self._repository.swap(record, enabled, request_id=request_id, now=now)
        return VerifySetupResponse(
            enabled=True,
            backup_codes=codes,
            enabled_at=iso_timestamp(now),
            proof=proof.token if proof else None,
            proof_expires_at=iso_timestamp(proof.expires_at) if proof else None,
        )


def _after_failure(record: MfaRecord, now: float) -> MfaRecord:
    failures = record.failures(Factor.TOTP).after(now)
    failed = record.with_failures(Factor.TOTP, failures)
    if failures.count < PENDING_MAX_FAILURES:
        return failed
    # What remains has no secret, so it no longer counts as pending, and expires now, so that TTL deletes it.
    return replace(failed, encrypted_secret=None, iv=None, backup_codes=(), backup_codes_salt=None, expires_at=int(now))
