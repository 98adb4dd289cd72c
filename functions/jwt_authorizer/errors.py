"""Why a request is refused. The reason is logged, and is not part of the response."""

from functions.shared.contract import WWW_AUTHENTICATE


class TokenRejectedError(Exception):
    """The bearer token is missing or not valid.

    Parameters
    ----------
    reason : str
        A short constant such as ``expired``; contains no part of the token.
    """

    #: The value of the response's ``WWW-Authenticate``.
    challenge: str = WWW_AUTHENTICATE

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LoginTooOldError(TokenRejectedError):
    """The token is valid, but its user logged in too long ago for this route, or it does not say when.

    Parameters
    ----------
    max_age : int
        The oldest login that the route accepts, in seconds. It is in the challenge (RFC 9470 section 3).
    """

    def __init__(self, max_age: int) -> None:
        super().__init__("login_too_old")
        self.challenge = (
            f'{WWW_AUTHENTICATE} error="insufficient_user_authentication", '
            f'error_description="A more recent login is required", max_age="{max_age}"'
        )


class SigningKeysUnavailableError(Exception):
    """The key that a token needs is not known and cannot be fetched, so the token cannot be checked."""
