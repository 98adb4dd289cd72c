"""What the route answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.shared.contract import AnswerWarning
from functions.shared.request_body import Method


class VerifyResponse(BaseModel):
    """Body of the 200 answer; without ``warnings`` when there are none."""

    model_config = ConfigDict(frozen=True)

    verified: Literal[True] = True
    method: Method = Field(description="Which factor was proved")
    backup_codes_remaining: int = Field(
        serialization_alias="backupCodesRemaining", ge=0, description="Codes that are still good"
    )
    warnings: list[AnswerWarning] = Field(
        default=[],
        exclude_if=lambda warnings: not warnings,
        description="What the user should hear about; left out when there is nothing",
        json_schema_extra={"minItems": 1},
    )
