"""Example values: one account, one moment, and the real models and errors filled with them.

Whatever can be made by the code that makes it in earnest is made so: QR code, backup codes, messages, error bodies.
``tests/tools/openapi/test_examples.py`` drives the real handlers to each of them.
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
from functions.shared import contract
from functions.shared.backup_codes import SALT_BYTES, BackupCodeKeys
from functions.shared.clock import epoch_from_iso, iso_timestamp
from functions.shared.contract import (
    BACKUP_CODE_COUNT,
    BACKUP_CODES_LOW_AT,
    DEFAULT_MFA_ISSUER,
    FIRST_LOCK_SECONDS,
    PENDING_LIFETIME_SECONDS,
    AnswerWarning,
    Endpoint,
)
from functions.shared.errors import (
    ApiError,
    InsufficientScopeError,
    ServiceUnavailableError,
    TooManyAttemptsError,
    ValidationError,
)
from functions.shared.http import Body
from functions.shared.request_body import Method, SecondFactorRequest, parse_body
from functions.verify_mfa.models import VerifyResponse
from functions.verify_mfa_setup.models import VerifySetupResponse

TIMESTAMP: Final = "2024-01-20T10:00:00Z"
#: ``$context.requestTime`` of the same moment: the only form of a time that the gateway knows by itself.
REQUEST_TIME: Final = "20/Jan/2024:10:00:00 +0000"
REQUEST_ID: Final = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 (nobody's)
ACCOUNT: Final = "ada@example.com"
SCOPE: Final = "mfa/manage"

_NOW: Final = epoch_from_iso(TIMESTAMP)
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


_BODIES: Final[Mapping[Endpoint, Mapping[str, Body]]] = {
    contract.SETUP: {"pending": SetupResponse(secret=SECRET, qr_code=qr_code_data_uri(str(_KEY_URI)))},
    contract.VERIFY_SETUP: {"enabled": VerifySetupResponse(backup_codes=_BACKUP_CODES, enabled_at=TIMESTAMP)},
    contract.VERIFY: {
        "totp": VerifyResponse(method=Method.TOTP, backup_codes_remaining=BACKUP_CODE_COUNT),
        "backupCode": VerifyResponse(method=Method.BACKUP_CODE, backup_codes_remaining=BACKUP_CODE_COUNT - 1),
        "fewBackupCodes": VerifyResponse(
            method=Method.BACKUP_CODE,
            backup_codes_remaining=BACKUP_CODES_LOW_AT,
            warnings=[AnswerWarning.BACKUP_CODES_LOW],
        ),
    },
    contract.STATUS: {
        "disabled": _status(State.DISABLED),
        "pending": _status(State.PENDING, pending_until=_NOW + PENDING_LIFETIME_SECONDS),
        "enabled": _status(State.ENABLED),
        "locked": _status(State.ENABLED, locked_until=_NOW + FIRST_LOCK_SECONDS),
    },
    contract.BACKUP_CODES: {
        "replaced": BackupCodesResponse(backup_codes=_NEW_BACKUP_CODES, backup_codes_remaining=len(_NEW_BACKUP_CODES))
    },
    contract.DISABLE: {"disabled": DisableResponse()},
}


def answer_examples(route: Endpoint) -> dict[str, Any]:
    """Return the named examples of a route's 200 body."""
    return {name: json.loads(body.model_dump_json(by_alias=True)) for name, body in _BODIES[route].items()}


def request_examples(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an example of each kind of request body, named by its member, from the examples of the members."""
    return {
        name: {name: schema["properties"][name]["examples"][0]}
        for schema in schemas.values()
        for name in schema.get("required", ())
    }


def error_examples(error: type[ApiError]) -> dict[str, ApiError]:
    """Return named instances of an error: one for each message or set of headers that it may have.

    Raises
    ------
    TypeError
        The error takes arguments, and no example of them is known here.
    """
    if issubclass(error, ValidationError):
        return {
            "notJson": _refusal("code=123456"),
            "malformedCode": _refusal(json.dumps({"code": "12345"})),
            "unknownField": _refusal(json.dumps({"code": "123456", "pin": "1234"})),
        }
    if issubclass(error, TooManyAttemptsError):
        return {"locked": error(FIRST_LOCK_SECONDS), "lockedForGood": error(None)}
    if issubclass(error, InsufficientScopeError):
        return {"insufficientScope": error(SCOPE)}
    if issubclass(error, ServiceUnavailableError):
        return {"serviceUnavailable": error("dynamodb:GetItem", "ProvisionedThroughputExceededException")}
    return {_lower_camel_case(error.code): error()}


def _refusal(body: str) -> ValidationError:
    """Return what parsing a body that is not valid raises."""
    try:
        parse_body(SecondFactorRequest, {"body": body})
    except ValidationError as error:
        return error
    raise ValueError(f"this body is valid: {body}")


def _lower_camel_case(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(map(str.title, others))


def gateway_example_name(reason: str) -> str:
    """Return the name of the example of an answer that the gateway makes."""
    return _lower_camel_case(reason)
