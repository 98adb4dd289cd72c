"""What the route answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.shared.shown_codes import ShownCodes


class VerifySetupResponse(BaseModel):
    """Body of the 200 answer. The backup codes are shown here and never again."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    enabled: Literal[True] = True
    backup_codes: ShownCodes = Field(repr=False, serialization_alias="backupCodes")
    enabled_at: str = Field(
        serialization_alias="enabledAt",
        description="When it was turned on: UTC, ISO-8601 in seconds",
        json_schema_extra={"format": "date-time"},
    )
