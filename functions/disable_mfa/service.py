"""Removal of a second factor."""

from functions.disable_mfa.models import DisableResponse
from functions.shared.http import Request
from functions.shared.request_body import SecondFactorRequest
from functions.shared.second_factor import SecondFactor


class DisableService:
    """Turns second factors off.

    Parameters
    ----------
    second_factor : SecondFactor
        The check.
    """

    def __init__(self, second_factor: SecondFactor) -> None:
        self._second_factor = second_factor

    def disable(self, request: Request, body: SecondFactorRequest) -> DisableResponse:
        """Delete the user's item, secret, codes and all.

        Raises
        ------
        ApiError
            See `SecondFactor.require_and_remove`.
        """
        self._second_factor.require_and_remove(request, body.proof())
        return DisableResponse()
