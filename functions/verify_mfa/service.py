"""The second factor at login."""

from functions.shared.contract import BACKUP_CODES_LOW_AT, AnswerWarning
from functions.shared.http import Request
from functions.shared.request_body import SecondFactorRequest
from functions.shared.second_factor import SecondFactor
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

    def verify(self, request: Request, body: SecondFactorRequest) -> VerifyResponse:
        """Accept the code and burn it.

        Raises
        ------
        ApiError
            See `SecondFactor.require`.
        """
        proof = body.proof()
        remaining = len(self._second_factor.require(request, proof).backup_codes)
        warnings = [AnswerWarning.BACKUP_CODES_LOW] if remaining <= BACKUP_CODES_LOW_AT else []
        return VerifyResponse(method=proof.method, backup_codes_remaining=remaining, warnings=warnings)
