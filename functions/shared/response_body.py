"""Answers of the routes that take no body: plain dataclasses.

Pydantic checks what comes in. A route that has no input to check would pay for importing it, a fifth of a cold start
(docs/adr/0071), to write a few fields.
"""

import json
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Answer:
    """Base of a 200 answer: each field is a member of the JSON object, with its name in camelCase.

    A field's metadata are keywords of its JSON Schema, for the description of the API; nothing is checked by them.
    """

    def model_dump_json(self, *, by_alias: bool) -> str:
        """Return the body as JSON, as a Pydantic model would; see `functions.shared.http.Body`."""
        members = {field.name: getattr(self, field.name) for field in fields(self)}
        if by_alias:
            members = {camel_case(name): value for name, value in members.items()}
        return json.dumps(members, separators=(",", ":"))


def camel_case(name: str) -> str:
    """Return a field's name as JSON has it: ``backup_codes`` is ``backupCodes``."""
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))
