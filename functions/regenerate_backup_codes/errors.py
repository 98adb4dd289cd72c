"""The errors of this route: every response other than 200."""

from functions.shared.errors import COMMON_ERRORS, SECOND_FACTOR_ERRORS

ROUTE_ERRORS = (*COMMON_ERRORS, *SECOND_FACTOR_ERRORS)
