"""Why a request is refused. The reason is logged and never returned to the caller."""


class TokenRejectedError(Exception):
    """The bearer token is missing or invalid.

    Parameters
    ----------
    reason : str
        A short constant such as ``expired``; contains no part of the token.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SigningKeysUnavailableError(Exception):
    """The issuer's keys cannot be fetched and none are cached, so that no token can be checked."""
