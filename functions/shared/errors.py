"""The errors that a caller may see. Each type is one answer: status, code and message.

The one place that turns them into responses is `functions.shared.http`.
"""

from typing import ClassVar

from functions.shared.contract import (
    MFA_ALREADY_ENABLED_MESSAGE,
    UNAUTHORIZED_MESSAGE,
    WWW_AUTHENTICATE,
    ErrorCode,
)

SERVICE_RETRY_AFTER_SECONDS = 2


class ApiError(Exception):
    """An answer other than 200.

    Attributes
    ----------
    status : int
        HTTP status.
    code : ErrorCode
        The body's ``error``, which callers branch on.
    message : str
        The body's ``message``, for people.
    """

    status: ClassVar[int]
    code: ClassVar[ErrorCode]
    message: str

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to this error alone."""
        return {}


class ValidationError(ApiError):
    """The request body is not what the route takes."""

    status = 400
    code = ErrorCode.VALIDATION_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnauthorizedError(ApiError):
    """No token, or no valid one (RFC 6750 section 3)."""

    status = 401
    code = ErrorCode.UNAUTHORIZED
    message = UNAUTHORIZED_MESSAGE

    def headers(self) -> dict[str, str]:
        """Return the challenge that a 401 must carry."""
        return {"WWW-Authenticate": WWW_AUTHENTICATE}


class InsufficientScopeError(ApiError):
    """A valid token that may not do this (RFC 6750 section 3.1)."""

    status = 403
    code = ErrorCode.INSUFFICIENT_SCOPE
    message = "The access token does not allow this operation"

    def __init__(self, required_scope: str) -> None:
        super().__init__(required_scope)
        self.required_scope = required_scope

    def headers(self) -> dict[str, str]:
        """Return the challenge that names the missing scope."""
        return {"WWW-Authenticate": f'{WWW_AUTHENTICATE} error="insufficient_scope", scope="{self.required_scope}"'}


class MfaAlreadyEnabledError(ApiError):
    """The user's second factor is on."""

    status = 409
    code = ErrorCode.MFA_ALREADY_ENABLED
    message = MFA_ALREADY_ENABLED_MESSAGE


class ServiceUnavailableError(ApiError):
    """KMS or DynamoDB refused, throttled or timed out. The request failed closed.

    Parameters
    ----------
    operation : str
        What was called, such as ``dynamodb:PutItem``; for the log.
    reason : str
        The AWS error code, or the type of the failure; for the log.
    """

    status = 503
    code = ErrorCode.SERVICE_UNAVAILABLE
    message = "The service is temporarily unavailable, please try again"

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}")
        self.operation = operation
        self.reason = reason

    def headers(self) -> dict[str, str]:
        """Return when to try again."""
        return {"Retry-After": str(SERVICE_RETRY_AFTER_SECONDS)}


class InternalError(ApiError):
    """Anything unexpected; no detail leaks."""

    status = 500
    code = ErrorCode.INTERNAL_ERROR
    message = "An unexpected error occurred"
