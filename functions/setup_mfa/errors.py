"""The errors of this route, for its callers and its documentation: every answer but 200 is one of these."""

from functions.shared.errors import (
    ApiError,
    InsufficientScopeError,
    InternalError,
    MfaAlreadyEnabledError,
    ServiceUnavailableError,
    UnauthorizedError,
)

ROUTE_ERRORS: tuple[type[ApiError], ...] = (
    UnauthorizedError,
    InsufficientScopeError,
    MfaAlreadyEnabledError,
    ServiceUnavailableError,
    InternalError,
)
