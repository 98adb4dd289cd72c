"""Why a request is not let through. The reason is logged, never told to the caller."""


class TokenRejectedError(Exception):
    """There is no bearer token, or it is not valid.

    Parameters
    ----------
    reason : str
        A short constant such as ``expired``; holds nothing of the token.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SigningKeysUnavailableError(Exception):
    """The issuer's keys cannot be had and none are cached: no token can be judged, good or bad."""
