"""Backup codes as the answers that show them do."""

from typing import Annotated

from pydantic import Field

from functions.shared.contract import BACKUP_CODE_COUNT

_Code = Annotated[str, Field(json_schema_extra={"pattern": "^[A-Z]{4}-[0-9]{4}$"})]
#: The constraints describe the API; nothing is checked by them, as a code that was made must be shown.
ShownCodes = Annotated[
    list[_Code],
    Field(
        description="Eight codes, each good for one login",
        json_schema_extra={"minItems": BACKUP_CODE_COUNT, "maxItems": BACKUP_CODE_COUNT, "uniqueItems": True},
    ),
]
