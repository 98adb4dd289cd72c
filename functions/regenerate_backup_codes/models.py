"""What the route answers."""

from pydantic import BaseModel, ConfigDict, Field

from functions.shared.shown_codes import ShownCodes


class BackupCodesResponse(BaseModel):
    """Body of the 200 answer. The backup codes are shown here and never again."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    backup_codes: ShownCodes = Field(repr=False, serialization_alias="backupCodes")
    backup_codes_remaining: int = Field(
        serialization_alias="backupCodesRemaining", ge=0, description="Codes that are still good"
    )
