"""What the route answers."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class State(StrEnum):
    """Where a user stands."""

    DISABLED = "DISABLED"
    PENDING = "PENDING"
    ENABLED = "ENABLED"


class StatusResponse(BaseModel):
    """Body of the 200 answer. Times are UTC, ISO-8601 in seconds, and null where they do not apply."""

    model_config = ConfigDict(frozen=True)

    enabled: bool
    state: State
    enabled_at: str | None = Field(serialization_alias="enabledAt")
    pending_expires_at: str | None = Field(
        serialization_alias="pendingExpiresAt", description="When a pending enrolment is no longer accepted"
    )
    locked_until: str | None = Field(
        serialization_alias="lockedUntil",
        description="When TOTP codes are looked at again; 9999-12-31T23:59:59Z when only an operator can unlock",
    )
    backup_codes_remaining: int = Field(serialization_alias="backupCodesRemaining", ge=0)
