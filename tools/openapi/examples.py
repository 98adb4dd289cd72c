"""Example values: the real models and errors, filled with one account and one moment.

The product's own code makes the QR code, the backup codes, the messages and the error bodies.
``tests/tools/openapi/test_examples.py`` makes the real handlers return each example.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from functions.disable_mfa.models import DisableResponse
from functions.mfa_status.models import State, StatusResponse
from functions.regenerate_backup_codes.models import BackupCodesResponse
from functions.setup_mfa.models import KeyUri, SetupResponse
from functions.setup_mfa.service import qr_code_data_uri
from functions.shared.backup_codes import SALT_BYTES, BackupCodeKeys
from functions.shared.clock import epoch_from_iso, iso_timestamp
from functions.shared.contract import (
    BACKUP_CODE_COUNT,
    BACKUP_CODES_LOW_AT,
    DEFAULT_MFA_ISSUER,
    DEFAULT_PROOF_LIFETIME_SECONDS,
    FIRST_LOCK_SECONDS,
    PENDING_LIFETIME_SECONDS,
    PROOF_ALGORITHM,
    Factor,
    ResponseWarning,
)
from functions.shared.errors import (
    ApiError,
    InsufficientScopeError,
    ServiceUnavailableError,
    TooManyAttemptsError,
    ValidationError,
)
from functions.shared.request_body import SecondFactorRequest
from functions.shared.response_body import ResponseBody, camel_case
from functions.signing_keys.models import JwksResponse, OpenIdConfigurationResponse
from functions.signing_keys.service import openid_configuration
from functions.verify_mfa.models import VerifyResponse
from functions.verify_mfa_setup.models import VerifySetupResponse

TIMESTAMP: Final = "2024-01-20T10:00:00Z"
#: ``$context.requestTime`` of the same moment: the only form of a time that gateway responses can have.
REQUEST_TIME: Final = "20/Jan/2024:10:00:00 +0000"
REQUEST_ID: Final = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 (an example)
ACCOUNT: Final = "ada@example.com"
SCOPE: Final = "mfa/manage"

_NOW: Final = epoch_from_iso(TIMESTAMP)
_PROOF_EXPIRES_AT: Final = iso_timestamp(_NOW + DEFAULT_PROOF_LIFETIME_SECONDS)
_BACKUP_CODES, _NEW_BACKUP_CODES = (
    BackupCodeKeys.derive(secret=base64.b32decode(SECRET), salt=bytes([number] * SALT_BYTES)).codes()
    for number in (1, 2)
)
_KEY_URI: Final = KeyUri(issuer=DEFAULT_MFA_ISSUER, account=ACCOUNT, secret=SECRET)


def _status(state: State, *, pending_until: float | None = None, locked_until: float | None = None) -> StatusResponse:
    enabled = state is State.ENABLED
    return StatusResponse(
        enabled=enabled,
        state=state,
        enabled_at=TIMESTAMP if enabled else None,
        pending_expires_at=None if pending_until is None else iso_timestamp(pending_until),
        locked_until=None if locked_until is None else iso_timestamp(locked_until),
        backup_codes_remaining=BACKUP_CODE_COUNT if enabled else 0,
    )


#: The form of a proof, with no valid signature.
PROOF: Final = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJwYXltZW50cyJ9.c2lnbmF0dXJl"
ISSUER: Final = "https://api.ailifestyle.app/v1"
_KEY: Final = {
    "kty": "RSA",
    "use": "sig",
    "alg": PROOF_ALGORITHM,
    "kid": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "n": "wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
    "e": "AQAB",
}

_BODIES: Final[Mapping[type[ResponseBody], Mapping[str, ResponseBody]]] = {
    SetupResponse: {"pending": SetupResponse(secret=SECRET, qr_code=qr_code_data_uri(str(_KEY_URI)))},
    VerifySetupResponse: {
        "enabled": VerifySetupResponse(enabled=True, backup_codes=_BACKUP_CODES, enabled_at=TIMESTAMP),
        "enabledWithProof": VerifySetupResponse(
            enabled=True,
            backup_codes=_BACKUP_CODES,
            enabled_at=TIMESTAMP,
            proof=PROOF,
            proof_expires_at=_PROOF_EXPIRES_AT,
        ),
    },
    VerifyResponse: {
        "totp": VerifyResponse(verified=True, method=Factor.TOTP, backup_codes_remaining=BACKUP_CODE_COUNT),
        "totpWithProof": VerifyResponse(
            verified=True,
            method=Factor.TOTP,
            backup_codes_remaining=BACKUP_CODE_COUNT,
            proof=PROOF,
            proof_expires_at=_PROOF_EXPIRES_AT,
        ),
        "backupCode": VerifyResponse(
            verified=True, method=Factor.BACKUP_CODE, backup_codes_remaining=BACKUP_CODE_COUNT - 1
        ),
        "fewBackupCodes": VerifyResponse(
            verified=True,
            method=Factor.BACKUP_CODE,
            backup_codes_remaining=BACKUP_CODES_LOW_AT,
            warnings=(ResponseWarning.BACKUP_CODES_LOW,),
        ),
    },
    StatusResponse: {
        "disabled": _status(State.DISABLED),
        "pending": _status(State.PENDING, pending_until=_NOW + PENDING_LIFETIME_SECONDS),
        "enabled": _status(State.ENABLED),
        "locked": _status(State.ENABLED, locked_until=_NOW + FIRST_LOCK_SECONDS),
    },
    BackupCodesResponse: {
        "replaced": BackupCodesResponse(backup_codes=_NEW_BACKUP_CODES, backup_codes_remaining=len(_NEW_BACKUP_CODES))
    },
    DisableResponse: {"disabled": DisableResponse(enabled=False)},
    OpenIdConfigurationResponse: {"issuer": openid_configuration(ISSUER)},
    JwksResponse: {"oneKey": JwksResponse(keys=(_KEY,))},
}


def response_examples(body: type[ResponseBody]) -> dict[str, Any]:
    """Return the named examples of the body of a 200 response."""
    return {name: json.loads(example.to_json()) for name, example in _BODIES[body].items()}


def request_examples(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an example of each kind of request body, named after its member, from the examples of the members."""
    return {
        name: {name: schema["properties"][name]["examples"][0]}
        for schema in schemas.values()
        for name in schema.get("required", ())
    }


def error_examples(error: type[ApiError]) -> dict[str, ApiError]:
    """Return named instances of an error: one for each message or set of headers that it can have.

    Raises
    ------
    TypeError
        The error takes arguments that this function does not know.
    """
    if issubclass(error, ValidationError):
        return {
            "notJson": _invalid("code=123456"),
            "malformedCode": _invalid(json.dumps({"code": "12345"})),
            "unknownField": _invalid(json.dumps({"code": "123456", "pin": "1234"})),
        }
    if issubclass(error, TooManyAttemptsError):
        return {"locked": error(FIRST_LOCK_SECONDS), "lockedForGood": error(None)}
    if issubclass(error, InsufficientScopeError):
        return {"insufficientScope": error(SCOPE)}
    if issubclass(error, ServiceUnavailableError):
        return {"serviceUnavailable": error("dynamodb:GetItem", "ProvisionedThroughputExceededException")}
    return {lower_camel_case(error.code): error()}


def _invalid(body: str) -> ValidationError:
    """Return the error that an invalid body causes."""
    try:
        SecondFactorRequest.from_event({"body": body})
    except ValidationError as error:
        return error
    raise ValueError(f"this body is valid: {body}")


def lower_camel_case(name: str) -> str:
    """Return ``ACCESS_DENIED`` as ``accessDenied``: the name of an example."""
    return camel_case(name.lower())
