"""The state of a second factor, as its user may see it."""

import math
import time
from typing import Final

from functions.mfa_status.models import State, StatusResponse
from functions.shared.clock import Clock, iso_timestamp
from functions.shared.contract import Factor
from functions.shared.record import MfaRecord
from functions.shared.repository import MfaRepository

_NEVER: Final = "9999-12-31T23:59:59Z"


class StatusService:
    """Returns the state of second factors.

    Parameters
    ----------
    repository : MfaRepository
        Stores the records.
    clock : callable
        The current time in epoch seconds.
    """

    def __init__(self, *, repository: MfaRepository, clock: Clock = time.time) -> None:
        self._repository = repository
        self._clock = clock

    def status(self, user_id: str) -> StatusResponse:
        """Return the state of a user's second factor.

        Raises
        ------
        RecordDamagedError, ServiceUnavailableError
            The item cannot be read.
        """
        now = self._clock()
        record = self._repository.get(user_id)
        enabled = record is not None and record.enabled
        pending = record is not None and record.pending_at(now)
        return StatusResponse(
            enabled=enabled,
            state=State.ENABLED if enabled else State.PENDING if pending else State.DISABLED,
            enabled_at=_iso(record.enabled_at) if record and enabled else None,
            pending_expires_at=_iso(record.expires_at) if record and pending else None,
            locked_until=_locked_until(record, now) if record and enabled else None,
            backup_codes_remaining=len(record.backup_codes) if record and enabled else 0,
        )


def _iso(epoch_seconds: int | None) -> str | None:
    return None if epoch_seconds is None else iso_timestamp(epoch_seconds)


def _locked_until(record: MfaRecord, now: float) -> str | None:
    until = record.failures(Factor.TOTP).locked_until()
    if until is None or until <= now:
        return None
    return _NEVER if until == math.inf else iso_timestamp(math.ceil(until))
