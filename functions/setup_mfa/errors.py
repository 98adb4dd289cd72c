"""The errors of this route: every response other than 200."""

from functions.shared.errors import COMMON_ERRORS, MfaAlreadyEnabledError

ROUTE_ERRORS = (*COMMON_ERRORS, MfaAlreadyEnabledError)
