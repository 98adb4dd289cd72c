"""Request bodies: the code that a caller sends, parsed and normalised."""

import base64
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic import ValidationError as PydanticValidationError

from functions.shared.contract import Factor
from functions.shared.errors import ValidationError
from functions.shared.route import Event

MAX_BODY_BYTES: Final = 4096


@dataclass(frozen=True)
class OfferedCode:
    """A normalised code, not yet checked: ``123456`` or ``ABCD-1234``."""

    factor: Factor
    code: str


#: What people type or paste around a code.
_IGNORED: Final = r"[\s-]"


def _normalised(value: object) -> object:
    """Return a code without spaces and hyphens, ASCII letters in upper case; anything but text is left as it is."""
    if not isinstance(value, str):
        return value
    bare = re.sub(_IGNORED, "", value)
    # The upper case of some other letters is ASCII: a long s would become an S, and a sharp s two of them.
    return bare.upper() if bare.isascii() else bare


def _as_typed(pattern: str) -> object:
    """Return the JSON Schema type of a code before it is normalised, for the description of the API."""
    return Annotated[str, Field(pattern=pattern)]


TotpCode = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[0-9]{6}$"),
    BeforeValidator(_normalised, json_schema_input_type=_as_typed(rf"^{_IGNORED}*([0-9]{_IGNORED}*){{6}}$")),
    Field(description="The authenticator app's six digits; spaces and hyphens are ignored", examples=["123456"]),
]
BackupCode = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[A-Z]{4}[0-9]{4}$"),
    BeforeValidator(
        _normalised,
        json_schema_input_type=_as_typed(rf"^{_IGNORED}*([A-Za-z]{_IGNORED}*){{4}}([0-9]{_IGNORED}*){{4}}$"),
    ),
    Field(description="A backup code; spaces, hyphens and case are ignored", examples=["ABCD-1234"]),
]


class RequestBody(BaseModel):
    """Base of the request bodies: JSON objects with the declared fields only.

    Attributes
    ----------
    description : str
        What the body holds, in Markdown, for the description of the API.
    """

    # An error must not quote the code that was sent.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    description: ClassVar[str]

    @classmethod
    def from_event(cls, event: Event) -> Self:
        """Return the parsed body of an API Gateway proxy event.

        Raises
        ------
        ValidationError
            The body is too long, not JSON, or does not match the model. The message names fields and never quotes
            what was sent.
        """
        try:
            return cls.model_validate_json(_raw_body(event))
        except PydanticValidationError as error:
            problems = {_problem(detail["loc"], detail["type"]) for detail in error.errors(include_input=False)}
            raise ValidationError("; ".join(sorted(problems))) from None


class TotpRequest(RequestBody):
    """Body of ``verify-setup`` and ``backup-codes``."""

    description = "A TOTP code."

    code: TotpCode

    def offered_code(self) -> OfferedCode:
        """Return the code."""
        return OfferedCode(Factor.TOTP, self.code)


class SecondFactorRequest(RequestBody):
    """Body of ``verify`` and ``disable``."""

    description = "Exactly one of a TOTP code and a backup code."

    code: TotpCode | None = None
    backup_code: BackupCode | None = Field(default=None, alias="backupCode")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.code is None) == (self.backup_code is None):
            raise ValueError("exactly one of code and backupCode is required")
        return self

    def offered_code(self) -> OfferedCode:
        """Return the one code that was sent."""
        if self.code is not None:
            return OfferedCode(Factor.TOTP, self.code)
        code = str(self.backup_code)
        return OfferedCode(Factor.BACKUP_CODE, f"{code[:4]}-{code[4:]}")


def _raw_body(event: Event) -> bytes:
    body = str(event.get("body") or "")
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError:
            raise ValidationError("The request body must be JSON") from None
    else:
        raw = body.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BODY_BYTES:
        raise ValidationError(f"The request body must not be longer than {MAX_BODY_BYTES} bytes")
    return raw


_FIELD_PROBLEMS: Final = {
    "code": "code must be six digits",
    "backupCode": "backupCode must be four letters and four digits",
}


def _problem(location: tuple[int | str, ...], kind: str) -> str:
    name = str(location[0]) if location else ""
    if kind == "json_invalid":
        return "The request body must be JSON"
    if kind == "value_error":
        return "Exactly one of code and backupCode is required"
    if kind == "extra_forbidden":
        return "The request body has an unknown field"
    return _FIELD_PROBLEMS.get(name, "The request body must be a JSON object")
