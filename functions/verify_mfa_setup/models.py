"""What the route answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class VerifySetupResponse(BaseModel):
    """Body of the 200 answer. The backup codes are shown here and never again."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    enabled: Literal[True] = True
    backup_codes: list[str] = Field(
        repr=False, serialization_alias="backupCodes", description="Eight codes, each good for one login"
    )
    enabled_at: str = Field(serialization_alias="enabledAt", description="UTC, ISO-8601 in seconds")
