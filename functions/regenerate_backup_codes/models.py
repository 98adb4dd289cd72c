"""What the route answers."""

from pydantic import BaseModel, ConfigDict, Field


class BackupCodesResponse(BaseModel):
    """Body of the 200 answer. The backup codes are shown here and never again."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    backup_codes: list[str] = Field(
        repr=False, serialization_alias="backupCodes", description="Eight codes, each good for one login"
    )
    backup_codes_remaining: int = Field(serialization_alias="backupCodesRemaining", ge=0)
