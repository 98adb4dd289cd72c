"""What the route returns."""

from dataclasses import dataclass, field
from typing import Literal

from functions.shared.response_body import BACKUP_CODES, PROOF, PROOF_EXPIRES_AT, ResponseBody


@dataclass(frozen=True)
class VerifySetupResponse(ResponseBody):
    """Body of the 200 response."""

    description = "The second factor is on. The backup codes are shown only here."

    enabled: Literal[True]
    backup_codes: list[str] = field(repr=False, metadata=BACKUP_CODES)
    enabled_at: str = field(
        metadata={"description": "When it was turned on: UTC, ISO-8601 in seconds", "format": "date-time"}
    )
    proof: str | None = field(default=None, repr=False, metadata=PROOF)
    proof_expires_at: str | None = field(default=None, metadata=PROOF_EXPIRES_AT)
