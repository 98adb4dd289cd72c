"""What the route returns."""

from dataclasses import dataclass, field
from enum import StrEnum

from functions.shared.contract import BACKUP_CODE_COUNT
from functions.shared.response_body import BACKUP_CODES_REMAINING, ResponseBody


class State(StrEnum):
    """State of a user's second factor."""

    DISABLED = "DISABLED"
    PENDING = "PENDING"
    ENABLED = "ENABLED"


@dataclass(frozen=True)
class StatusResponse(ResponseBody):
    """Body of the 200 response."""

    description = "The state of the user's second factor. Times are UTC, ISO-8601 in seconds, or null."

    enabled: bool = field(metadata={"description": "Whether the second factor is on."})
    state: State = field(metadata={"description": "Like `enabled`, but distinguishes pending enrolments."})
    enabled_at: str | None = field(metadata={"description": "When it was turned on.", "format": "date-time"})
    pending_expires_at: str | None = field(
        metadata={"description": "When the pending enrolment expires.", "format": "date-time"}
    )
    locked_until: str | None = field(
        metadata={
            "description": "When the lock on TOTP codes ends; 9999-12-31T23:59:59Z if only an operator can unlock it.",
            "format": "date-time",
        }
    )
    backup_codes_remaining: int = field(metadata={**BACKUP_CODES_REMAINING, "maximum": BACKUP_CODE_COUNT})
