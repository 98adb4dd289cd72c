"""The errors of this route, for its callers and its documentation: every answer but 200 is one of these."""

from functions.shared.contract import ErrorCode
from functions.shared.errors import (
    COMMON_ERRORS,
    ApiError,
    ConflictError,
    InvalidCodeError,
    MfaAlreadyEnabledError,
    ValidationError,
)


class MfaSetupNotFoundError(ApiError):
    """Nothing waits for a code: setup was not called, or too many wrong codes discarded the enrolment."""

    status = 404
    code = ErrorCode.MFA_SETUP_NOT_FOUND
    message = "No MFA setup is pending for this account"


class MfaSetupExpiredError(ApiError):
    """The enrolment waited too long."""

    status = 410
    code = ErrorCode.MFA_SETUP_EXPIRED
    message = "The MFA setup has expired, please start again"


ROUTE_ERRORS = (
    *COMMON_ERRORS,
    ValidationError,
    InvalidCodeError,
    MfaSetupNotFoundError,
    MfaAlreadyEnabledError,
    ConflictError,
    MfaSetupExpiredError,
)
