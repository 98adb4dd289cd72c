"""What the route returns."""

from dataclasses import dataclass, field
from typing import Literal

from functions.shared.contract import Factor, ResponseWarning
from functions.shared.response_body import BACKUP_CODES_REMAINING, PROOF, PROOF_EXPIRES_AT, ResponseBody


@dataclass(frozen=True)
class VerifyResponse(ResponseBody):
    """Body of the 200 response."""

    description = (
        "The code was accepted. `failedAttempts` and `lastFailedAttemptAt` are left out if no code was refused since "
        "the last accepted one, `warnings` if there are none."
    )

    verified: Literal[True]
    method: Factor = field(metadata={"description": "The factor that was proved"})
    backup_codes_remaining: int = field(metadata=BACKUP_CODES_REMAINING)
    failed_attempts: int = field(
        default=0,
        metadata={
            "description": "Refused codes of this factor since its last accepted one. Show them to the user: attempts "
            "that were not the user's mean that the password is stolen",
            "minimum": 1,
        },
    )
    last_failed_attempt_at: str | None = field(
        default=None,
        metadata={"description": "When the last of them was sent: UTC, ISO-8601 in seconds", "format": "date-time"},
    )
    warnings: tuple[ResponseWarning, ...] = field(
        default=(), metadata={"description": "Warnings for the user; left out if there are none", "minItems": 1}
    )
    proof: str | None = field(default=None, repr=False, metadata=PROOF)
    proof_expires_at: str | None = field(default=None, metadata=PROOF_EXPIRES_AT)
