"""The errors that a caller may see. Each type is one answer: status, code and message.

The one place that turns them into responses is `functions.shared.http`.
"""

from typing import ClassVar

from functions.shared.contract import (
    MFA_ALREADY_ENABLED_MESSAGE,
    RETRY_AFTER_SECONDS,
    UNAUTHORIZED_MESSAGE,
    WWW_AUTHENTICATE,
    ErrorCode,
    Metric,
)


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
    metrics : tuple of Metric
        What is counted for it beyond the route's own metrics.
    """

    status: ClassVar[int]
    code: ClassVar[ErrorCode]
    message: str
    metrics: tuple[Metric, ...] = ()

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to this error alone."""
        return {}

    def log_fields(self) -> dict[str, str]:
        """Return what the log tells beyond the code: nothing of the request."""
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
    metrics = (Metric.INSUFFICIENT_SCOPE,)
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


class MfaNotEnabledError(ApiError):
    """The user's second factor is not on."""

    status = 409
    code = ErrorCode.MFA_NOT_ENABLED
    message = "MFA is not enabled for this account"


class InvalidCodeError(ApiError):
    """A wrong code, or a right one already used: one answer, so that a replay learns nothing."""

    status = 400
    code = ErrorCode.INVALID_CODE
    message = "The code is not valid"


class ConflictError(ApiError):
    """Another request of the same user was faster. Says nothing about this one's code."""

    status = 409
    code = ErrorCode.CONFLICT
    metrics = (Metric.CONFLICTS,)
    message = "Another request changed this account's MFA at the same time, please try again"


class TooManyAttemptsError(ApiError):
    """The factor is locked.

    Parameters
    ----------
    retry_after : int or None
        Whole seconds after which a request is accepted; None when only an operator can unlock the factor.
    """

    status = 429
    code = ErrorCode.TOO_MANY_ATTEMPTS
    message = "Too many wrong codes, please try again later"

    def __init__(self, retry_after: int | None) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        if retry_after is None:
            self.message = "Too many wrong codes, please contact support"

    def headers(self) -> dict[str, str]:
        """Return when to try again, if time alone will unlock the factor."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


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
        if operation.startswith("kms:"):
            self.metrics = (Metric.KEY_FAILURES,)

    def headers(self) -> dict[str, str]:
        """Return when to try again."""
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}

    def log_fields(self) -> dict[str, str]:
        """Return which call failed and how."""
        return {"operation": self.operation, "reason": self.reason}


class InternalError(ApiError):
    """Anything unexpected; no detail leaks."""

    status = 500
    code = ErrorCode.INTERNAL_ERROR
    message = "An unexpected error occurred"


#: What every route may answer with.
COMMON_ERRORS: tuple[type[ApiError], ...] = (
    UnauthorizedError,
    InsufficientScopeError,
    ServiceUnavailableError,
    InternalError,
)

#: What a route that takes a second factor may answer with besides.
SECOND_FACTOR_ERRORS: tuple[type[ApiError], ...] = (
    ValidationError,
    InvalidCodeError,
    MfaNotEnabledError,
    ConflictError,
    TooManyAttemptsError,
)
