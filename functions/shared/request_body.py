"""The second factor that a request offers: a TOTP code or a backup code, parsed from its body."""

import base64
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic import ValidationError as PydanticValidationError

from functions.shared.errors import ValidationError
from functions.shared.http import Event

MAX_BODY_BYTES: Final = 4096


class Method(StrEnum):
    """Kinds of second factor, as the answer of verify names them."""

    TOTP = "totp"
    BACKUP_CODE = "backup_code"


@dataclass(frozen=True)
class Proof:
    """A normalised code of one kind: ``123456`` or ``ABCD-1234``."""

    method: Method
    code: str


#: What people type or paste around a code, and nobody minds.
_IGNORED: Final = r"[\s-]"


def _normalised(value: object) -> object:
    """Drop what people type or paste around a code: spaces and hyphens; ASCII letters become upper case."""
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


class _RequestBody(BaseModel):
    # An error must not quote the code that was sent.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TotpRequest(_RequestBody):
    """Body of ``verify-setup`` and ``backup-codes``: a TOTP code."""

    code: TotpCode

    def proof(self) -> Proof:
        """Return the code."""
        return Proof(Method.TOTP, self.code)


class SecondFactorRequest(_RequestBody):
    """Body of ``verify`` and ``disable``: exactly one of a TOTP code and a backup code."""

    code: TotpCode | None = None
    backup_code: BackupCode | None = Field(default=None, alias="backupCode")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.code is None) == (self.backup_code is None):
            raise ValueError("exactly one of code and backupCode is required")
        return self

    def proof(self) -> Proof:
        """Return the one code."""
        if self.code is not None:
            return Proof(Method.TOTP, self.code)
        code = str(self.backup_code)
        return Proof(Method.BACKUP_CODE, f"{code[:4]}-{code[4:]}")


def parse_body[Model: BaseModel](model: type[Model], event: Event) -> Model:
    """Return the parsed request body.

    Raises
    ------
    ValidationError
        It is too long, no JSON, or not as the model says. The message names fields, and quotes nothing that was sent.
    """
    try:
        return model.model_validate_json(_raw_body(event))
    except PydanticValidationError as error:
        problems = sorted({_problem(detail["loc"], detail["type"]) for detail in error.errors(include_input=False)})
        raise ValidationError("; ".join(problems)) from None


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
        return "The request body has a field that is not known"
    return _FIELD_PROBLEMS.get(name, "The request body must be a JSON object")
