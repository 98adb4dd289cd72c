"""The errors that a caller may see. Each type is one response: status, code and message.

Only `functions.shared.http` turns them into responses.
"""

from typing import ClassVar, Final

from functions.shared.contract import (
    MFA_ALREADY_ENABLED_MESSAGE,
    REQUIRED_SCOPE_HEADER,
    RETRY_AFTER_SECONDS,
    UNAUTHORIZED_MESSAGE,
    ErrorCode,
    Metric,
)


class ApiError(Exception):
    """A response other than 200.

    Attributes
    ----------
    status : int
        HTTP status.
    code : ErrorCode
        The body's ``error``, which callers branch on.
    description : str
        When it occurs, for the description of the API.
    message : str
        The body's ``message``, for people.
    metrics : tuple of Metric
        Metrics to count for it beyond the route's own.
    """

    status: ClassVar[int]
    code: ClassVar[ErrorCode]
    description: ClassVar[str]
    message: str
    metrics: tuple[Metric, ...] = ()

    def headers(self) -> dict[str, str]:
        """Return the headers that only this error has."""
        return {}

    def log_fields(self) -> dict[str, str]:
        """Return what is logged besides the code; never a part of the request."""
        return {}


class ValidationError(ApiError):
    """The request body is invalid."""

    status = 400
    code = ErrorCode.VALIDATION_ERROR
    description = "The request body is invalid."

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnauthorizedError(ApiError):
    """The authorizer's context is missing. The gateway itself refuses callers without a valid token."""

    status = 401
    code = ErrorCode.UNAUTHORIZED
    description = "The access token is missing or invalid."
    message = UNAUTHORIZED_MESSAGE


class InsufficientScopeError(ApiError):
    """The token lacks the required scope.

    RFC 6750 names the scope in ``WWW-Authenticate``, which API Gateway renames in a function's response.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    """

    status = 403
    code = ErrorCode.INSUFFICIENT_SCOPE
    description = "The access token is valid but lacks the required scope."
    metrics = (Metric.INSUFFICIENT_SCOPE,)
    message = "The access token does not allow this operation"

    def __init__(self, required_scope: str) -> None:
        super().__init__(required_scope)
        self.required_scope = required_scope

    def headers(self) -> dict[str, str]:
        """Return the missing scope."""
        return {REQUIRED_SCOPE_HEADER: self.required_scope}


class MfaAlreadyEnabledError(ApiError):
    """The user's second factor is on."""

    status = 409
    code = ErrorCode.MFA_ALREADY_ENABLED
    description = "The user's second factor is already on."
    message = MFA_ALREADY_ENABLED_MESSAGE


class MfaNotEnabledError(ApiError):
    """The user's second factor is not on."""

    status = 409
    code = ErrorCode.MFA_NOT_ENABLED
    description = "The user's second factor is not on."
    message = "MFA is not enabled for this account"


class InvalidCodeError(ApiError):
    """The code is wrong or already used: one response for both, so that a replay reveals nothing."""

    status = 400
    code = ErrorCode.INVALID_CODE
    description = "The code is wrong or has already been used."
    message = "The code is not valid"


class ConflictError(ApiError):
    """Another request of the same user was faster; whether this one's code was right is not revealed."""

    status = 409
    code = ErrorCode.CONFLICT
    description = "Another request of the same user was faster, for example because a form was sent twice. This does \
not reveal whether the code was right. Send the request again with the current code."
    metrics = (Metric.CONFLICTS,)
    message = "Another request of this account was in progress, please send the current code"


class TooManyAttemptsError(ApiError):
    """The factor is locked.

    Parameters
    ----------
    retry_after : int or None
        Seconds until the lock ends; None if only an operator can unlock the factor.
    """

    status = 429
    code = ErrorCode.TOO_MANY_ATTEMPTS
    description = "The factor is locked after too many wrong codes."
    message = "Too many wrong codes, please try again later"

    def __init__(self, retry_after: int | None) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        if retry_after is None:
            self.message = "Too many wrong codes, please contact support"

    def headers(self) -> dict[str, str]:
        """Return when to try again, unless only an operator can unlock the factor."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


#: The metric that counts a failed call on a key, by the operations that the routes use.
_FAILED_CALLS: Final = {
    "kms:GenerateDataKey": Metric.KEY_FAILURES,
    "kms:Decrypt": Metric.KEY_FAILURES,
    "kms:Sign": Metric.PROOF_SIGNING_FAILURES,
}


class ServiceUnavailableError(ApiError):
    """A call to AWS failed, so that the request was refused.

    Parameters
    ----------
    operation : str
        The call, such as ``dynamodb:PutItem``; for the log.
    reason : str
        The AWS error code, or the type of the failure; for the log.
    """

    status = 503
    code = ErrorCode.SERVICE_UNAVAILABLE
    description = "KMS or DynamoDB refused the call, throttled it or timed out. Nothing changed."
    message = "The service is temporarily unavailable, please try again"

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}")
        self.operation = operation
        self.reason = reason
        if operation in _FAILED_CALLS:
            self.metrics = (_FAILED_CALLS[operation],)

    def headers(self) -> dict[str, str]:
        """Return when to try again."""
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}

    def log_fields(self) -> dict[str, str]:
        """Return the call that failed, and why."""
        return {"operation": self.operation, "reason": self.reason}


class InternalError(ApiError):
    """An unexpected exception, without its details."""

    status = 500
    code = ErrorCode.INTERNAL_ERROR
    description = "An unexpected error occurred. Details are only in the log."
    message = "An unexpected error occurred"


#: The errors of every route.
COMMON_ERRORS: tuple[type[ApiError], ...] = (
    UnauthorizedError,
    InsufficientScopeError,
    ServiceUnavailableError,
    InternalError,
)

#: The further errors of a route that requires a second factor.
SECOND_FACTOR_ERRORS: tuple[type[ApiError], ...] = (
    ValidationError,
    InvalidCodeError,
    MfaNotEnabledError,
    ConflictError,
    TooManyAttemptsError,
)
