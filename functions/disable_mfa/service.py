"""Removal of a second factor."""

from functions.disable_mfa.models import DisableResponse
from functions.shared.request_body import OfferedCode
from functions.shared.second_factor import Count, SecondFactor


class DisableService:
    """Turns second factors off.

    Parameters
    ----------
    second_factor : SecondFactor
        The check.
    """

    def __init__(self, second_factor: SecondFactor) -> None:
        self._second_factor = second_factor

    def disable(self, user_id: str, offered: OfferedCode, *, request_id: str, count: Count) -> DisableResponse:
        """Delete the user's item, with the secret and all codes.

        Raises
        ------
        ApiError
            See `SecondFactor.require_and_remove`.
        """
        self._second_factor.require_and_remove(user_id, offered, request_id=request_id, count=count)
        return DisableResponse(enabled=False)
