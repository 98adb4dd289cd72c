"""The errors of this route, for its callers and its documentation: every answer but 200 is one of these."""

from functions.shared.errors import COMMON_ERRORS, SECOND_FACTOR_ERRORS

ROUTE_ERRORS = (*COMMON_ERRORS, *SECOND_FACTOR_ERRORS)
