"""What the route returns."""

from dataclasses import dataclass, field

from functions.shared.response_body import BACKUP_CODES, BACKUP_CODES_REMAINING, ResponseBody


@dataclass(frozen=True)
class BackupCodesResponse(ResponseBody):
    """Body of the 200 response."""

    description = "The new backup codes. They are shown only here."

    backup_codes: list[str] = field(repr=False, metadata=BACKUP_CODES)
    backup_codes_remaining: int = field(metadata=BACKUP_CODES_REMAINING)
