"""Errors of the commands, with the next step for the operator."""

from typing import Final

from functions.shared.errors import ServiceUnavailableError


class OperatorError(Exception):
    """The command cannot continue; the message is for the operator."""


_LOG_IN: Final = "log in to AWS again (aws sso login), or choose other credentials with --profile"
_NO_PERMISSION: Final = "your role does not allow this action; docs/operator.md has a policy to copy"
_NO_CONNECTION: Final = "AWS does not respond; check the network, --region and AWS_ENDPOINT_URL"
_KEY: Final = "the key cannot be used; check its state, --environment, --region and --key"
_SLOWER: Final = "AWS throttles these calls; wait a few minutes, then run the same command again"
_NEXT_STEP: Final = {
    "AccessDenied": _NO_PERMISSION,
    "AccessDeniedException": _NO_PERMISSION,
    "ConnectTimeoutError": _NO_CONNECTION,
    "ConnectionClosedError": _NO_CONNECTION,
    "DisabledException": _KEY,
    "EndpointConnectionError": _NO_CONNECTION,
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "InvalidClientTokenId": _LOG_IN,
    "InvalidRegionError": "this is not the name of a region; check --region",
    "InvalidSignatureException": _LOG_IN,
    "KMSInvalidStateException": _KEY,
    "NoCredentialsError": _LOG_IN,
    "NotFoundException": _KEY,
    "ProvisionedThroughputExceededException": _SLOWER,
    "ReadTimeoutError": _NO_CONNECTION,
    "ResourceNotFoundException": "the table does not exist; check --table, --environment, --region and --profile",
    "SSOTokenLoadError": _LOG_IN,
    "SignatureDoesNotMatch": _LOG_IN,
    "ThrottlingException": _SLOWER,
    "TokenRetrievalError": _LOG_IN,
    "UnauthorizedSSOTokenError": _LOG_IN,
    "UnrecognizedClientException": _LOG_IN,
}
_TRY_AGAIN: Final = "run `show` to see the state, then try again"


def explain(error: ServiceUnavailableError) -> str:
    """Return what a failed AWS call means, and the next step, in one line."""
    return f"{error.operation} failed ({error.reason}): {_NEXT_STEP.get(error.reason, _TRY_AGAIN)}."
