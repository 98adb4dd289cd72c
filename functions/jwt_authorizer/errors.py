"""Why a request is refused. The reason is logged, and is not part of the response."""


class TokenRejectedError(Exception):
    """The bearer token is missing or not valid.

    Parameters
    ----------
    reason : str
        A short constant such as ``expired``; holds nothing of the token.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SigningKeysUnavailableError(Exception):
    """The key that a token needs cannot be fetched now, so the token cannot be judged, good or bad."""
