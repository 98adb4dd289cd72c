"""Bodies of the 200 responses: plain dataclasses, written as JSON.

Pydantic checks what comes in. A response has nothing to check, and importing Pydantic takes a fifth of a cold start
(docs/adr/0071).
"""

import json
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Final

from functions.shared.contract import BACKUP_CODE_COUNT


@dataclass(frozen=True)
class ResponseBody:
    """Base of the body of a 200 response: each field is a member of the JSON object, with its name in camelCase.

    A field with a default is an optional member: it is left out while it has its default. A field's metadata is its
    JSON Schema beyond the type, with a ``description``; it only describes the API and is not checked.

    Attributes
    ----------
    description : str
        What the body holds, in Markdown, for the description of the API.
    """

    description: ClassVar[str]

    def to_json(self) -> str:
        """Return the body as compact JSON."""
        members: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.default is MISSING or value != field.default:
                members[self.member(field.name)] = value
        return json.dumps(members, separators=(",", ":"))

    @classmethod
    def member(cls, field_name: str) -> str:
        """Return the JSON name of a field."""
        return camel_case(field_name)


def camel_case(name: str) -> str:
    """Return the JSON name of a field: ``backup_codes`` becomes ``backupCodes``."""
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


#: Metadata of the fields that several responses have.
BACKUP_CODES: Final = {
    "description": "Eight codes, each valid for one login",
    "items": {"type": "string", "pattern": "^[A-Z]{4}-[0-9]{4}$"},
    "maxItems": BACKUP_CODE_COUNT,
    "minItems": BACKUP_CODE_COUNT,
    "uniqueItems": True,
}
PROOF: Final = {
    "description": "A signed proof of the second factor, which other APIs can check; left out where proofs are off",
    "pattern": r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
}
PROOF_EXPIRES_AT: Final = {
    "description": "When the proof expires: UTC, ISO-8601 in seconds; left out where proofs are off",
    "format": "date-time",
}
BACKUP_CODES_REMAINING: Final = {"description": "Number of backup codes that are still valid", "minimum": 0}
