"""What the route answers."""

from dataclasses import dataclass, field
from enum import StrEnum

from functions.shared.contract import BACKUP_CODE_COUNT
from functions.shared.response_body import Answer


class State(StrEnum):
    """Where a user stands."""

    DISABLED = "DISABLED"
    PENDING = "PENDING"
    ENABLED = "ENABLED"


@dataclass(frozen=True)
class StatusResponse(Answer):
    """Body of the 200 answer. Times are UTC, ISO-8601 in seconds, and null where they do not apply.

    Attributes
    ----------
    enabled : bool
        Whether the second factor is on.
    state : State
        The same with pending enrolments told apart.
    enabled_at : str or None
        When it was turned on.
    pending_expires_at : str or None
        When a pending enrolment is no longer accepted.
    locked_until : str or None
        When TOTP codes are looked at again; 9999-12-31T23:59:59Z when only an operator can unlock.
    backup_codes_remaining : int
        Codes that are still good.
    """

    enabled: bool
    state: State
    enabled_at: str | None = field(metadata={"format": "date-time"})
    pending_expires_at: str | None = field(metadata={"format": "date-time"})
    locked_until: str | None = field(metadata={"format": "date-time"})
    backup_codes_remaining: int = field(metadata={"minimum": 0, "maximum": BACKUP_CODE_COUNT})
