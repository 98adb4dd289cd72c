"""The function behind the protected API, as `docs/proof.md` describes it.

API Gateway has checked signature, issuer, audience and expiry of the proof. The function decides how recent it must be.
It runs in the emulated AWS and uses only the standard library.
"""

import json
import time
from typing import Any

#: How long ago the second factor may have been proved for a payment.
MAX_AGE_SECONDS = 240
_CHALLENGE = (
    'Bearer error="insufficient_user_authentication", error_description="A recent second factor is required", '
    f'acr_values="mfa", max_age="{MAX_AGE_SECONDS}"'
)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return who pays, or RFC 9470's challenge if the proof is too old."""
    proof = event["requestContext"]["authorizer"]["jwt"]["claims"]
    age = time.time() - int(proof["auth_time"])
    if age > MAX_AGE_SECONDS:
        body = {"error": "insufficient_user_authentication", "max_age": MAX_AGE_SECONDS}
        return _response(401, body, {"WWW-Authenticate": _CHALLENGE})
    return _response(200, {"paidBy": proof["sub"], "secondFactorSecondsAgo": int(age)}, {})


def _response(status: int, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **headers},
        "body": json.dumps(body),
    }
