"""Removal of a second factor."""

from functions.disable_mfa.models import DisableResponse
from functions.shared.request_body import OfferedCode
from functions.shared.second_factor import Count, SecondFactor


def disable(
    second_factor: SecondFactor, user_id: str, offered: OfferedCode, *, request_id: str, count: Count
) -> DisableResponse:
    """Delete the user's item, with the secret and all codes. For the errors see `SecondFactor.require_and_remove`."""
    second_factor.require_and_remove(user_id, offered, request_id=request_id, count=count)
    return DisableResponse(enabled=False)
