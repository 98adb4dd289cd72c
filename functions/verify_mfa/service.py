"""The second factor at login."""

from functions.shared.clock import iso_timestamp
from functions.shared.contract import BACKUP_CODES_LOW_AT, ResponseWarning
from functions.shared.request_body import OfferedCode
from functions.shared.second_factor import Count, SecondFactor
from functions.verify_mfa.models import VerifyResponse


def verify(
    second_factor: SecondFactor, user_id: str, offered: OfferedCode, *, request_id: str, count: Count
) -> VerifyResponse:
    """Accept the code and burn it. For the errors see `SecondFactor.require`."""
    success = second_factor.require(user_id, offered, request_id=request_id, count=count)
    remaining, failures = len(success.record.backup_codes), success.failures
    return VerifyResponse(
        verified=True,
        method=offered.factor,
        backup_codes_remaining=remaining,
        failed_attempts=failures.count,
        last_failed_attempt_at=None if failures.last_at is None else iso_timestamp(failures.last_at),
        warnings=(ResponseWarning.BACKUP_CODES_LOW,) if remaining <= BACKUP_CODES_LOW_AT else (),
    )
