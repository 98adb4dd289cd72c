"""The errors of these routes: every response other than 200."""

from functions.shared.errors import InternalError, ServiceUnavailableError

ROUTE_ERRORS = (ServiceUnavailableError, InternalError)
