"""The errors of this route: every response other than 200."""

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
    """No enrolment is pending."""

    status = 404
    code = ErrorCode.MFA_SETUP_NOT_FOUND
    description = "No enrolment is pending: setup was not called, or too many wrong codes discarded the enrolment."
    message = "No MFA setup is pending for this account"


class MfaSetupExpiredError(ApiError):
    """The pending enrolment has expired."""

    status = 410
    code = ErrorCode.MFA_SETUP_EXPIRED
    description = "The pending enrolment has expired."
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
