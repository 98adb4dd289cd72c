"""The second factor at login."""

from functions.shared.contract import BACKUP_CODES_LOW_AT, ResponseWarning
from functions.shared.request_body import OfferedCode
from functions.shared.second_factor import Count, SecondFactor
from functions.verify_mfa.models import VerifyResponse


class VerifyService:
    """Accepts a code at login.

    Parameters
    ----------
    second_factor : SecondFactor
        The check.
    """

    def __init__(self, second_factor: SecondFactor) -> None:
        self._second_factor = second_factor

    def verify(self, user_id: str, offered: OfferedCode, *, request_id: str, count: Count) -> VerifyResponse:
        """Accept the code and burn it.

        Raises
        ------
        ApiError
            See `SecondFactor.require`.
        """
        record = self._second_factor.require(user_id, offered, request_id=request_id, count=count)
        remaining = len(record.backup_codes)
        return VerifyResponse(
            verified=True,
            method=offered.factor,
            backup_codes_remaining=remaining,
            warnings=(ResponseWarning.BACKUP_CODES_LOW,) if remaining <= BACKUP_CODES_LOW_AT else (),
        )
