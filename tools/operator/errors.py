"""Errors of the commands, with the next step for the operator."""

from functions.shared.errors import ServiceUnavailableError


class OperatorError(Exception):
    """The command cannot continue; the message is for the operator."""


_LOG_IN = "log in to AWS again (aws sso login), or choose other credentials with --profile"
_NEXT_STEP = {
    "AccessDenied": "your role does not allow this action; docs/operator.md has the required policy",
    "AccessDeniedException": "your role does not allow this action; docs/operator.md has the required policy",
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "InvalidClientTokenId": _LOG_IN,
    "NoCredentialsError": _LOG_IN,
    "ResourceNotFoundException": "the table does not exist; check --table, --environment, --region and --profile",
    "SSOTokenLoadError": _LOG_IN,
    "TokenRetrievalError": _LOG_IN,
    "UnauthorizedSSOTokenError": _LOG_IN,
    "UnrecognizedClientException": _LOG_IN,
}
_TRY_AGAIN = "run `show` to see the state, then try again"


def explain(error: ServiceUnavailableError) -> str:
    """Return what a failed AWS call means, and the next step."""
    return f"{error.operation} failed ({error.reason}): {_NEXT_STEP.get(error.reason, _TRY_AGAIN)}."
