"""Request bodies: the code that a caller sends, parsed and normalised."""

import base64
import codecs
import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic import ValidationError as PydanticValidationError

from functions.shared.contract import Factor
from functions.shared.errors import ValidationError
from functions.shared.route import Event, request_header

MAX_BODY_BYTES: Final = 4096


@dataclass(frozen=True)
class OfferedCode:
    """A normalised code, not yet checked: ``123456`` or ``ABCD-1234``."""

    factor: Factor
    code: str = field(repr=False)


#: From a full-width letter (U+FF21 to U+FF5A) to the ASCII one.
_FULL_WIDTH: Final = 0xFF21 - ord("A")


def normalised(typed: str) -> str:
    """Return a code as it is compared: ASCII digits and upper-case letters, without what people type around them.

    Decimal digits of any script (Unicode category Nd) and full-width letters become ASCII. White space, dashes (Pd and
    the minus sign U+2212) and invisible characters (Cf) are dropped. Every other character stays as it is, so that no
    code is read out of text that merely resembles one. ``clients/mfa.js`` does the same.
    """
    return "".join(map(_normalised_character, typed))


def _normalised_character(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace() or category in ("Pd", "Cf") or character == "\N{MINUS SIGN}":
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if "\uff21" <= character <= "\uff3a" or "\uff41" <= character <= "\uff5a":
        character = chr(ord(character) - _FULL_WIDTH)
    # The upper case of some other letters is ASCII: a long s would become an S, and a sharp s two of them.
    return character.upper() if character.isascii() else character


def _normalised(value: object) -> object:
    return normalised(value) if isinstance(value, str) else value


#: What a program may send around and between the characters of a code, for the description of the API.
_IGNORED: Final = r"[\s-]"


def _as_typed(pattern: str) -> object:
    """Return the JSON Schema type of a code before it is normalised, for the description of the API.

    The pattern is in ASCII: JSON Schema's validators do not agree on Unicode categories.
    """
    return Annotated[str, Field(pattern=pattern)]


_TOLERATED: Final = (
    "Spaces, dashes and invisible characters are ignored; digits of any script and full-width letters are accepted"
)
TotpCode = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[0-9]{6}$"),
    BeforeValidator(_normalised, json_schema_input_type=_as_typed(rf"^{_IGNORED}*([0-9]{_IGNORED}*){{6}}$")),
    Field(description=f"The authenticator app's six digits. {_TOLERATED}", examples=["123456"]),
]
BackupCode = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[A-Z]{4}[0-9]{4}$"),
    BeforeValidator(
        _normalised,
        json_schema_input_type=_as_typed(rf"^{_IGNORED}*([A-Za-z]{_IGNORED}*){{4}}([0-9]{_IGNORED}*){{4}}$"),
    ),
    Field(description=f"A backup code, in upper or lower case. {_TOLERATED}", examples=["ABCD-1234"]),
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
            The body is too long, compressed, not UTF-8, not JSON, or does not match the model. The message names the
            reason or the fields, and never quotes what was sent.
        """
        raw = _raw_body(event)
        try:
            return cls.model_validate_json(raw)
        except PydanticValidationError as error:
            details = error.errors(include_input=False)
            if any(detail["type"] == "json_invalid" for detail in details):
                raise ValidationError(_why_not_json(raw, event)) from None
            if not _is_utf_8(raw):
                raise ValidationError(_NOT_UTF_8) from None
            problems = {_problem(detail["loc"], detail["type"]) for detail in details}
            raise ValidationError("; ".join(sorted(problems))) from None


class TotpRequest(RequestBody):
    """Body of ``verify-setup`` and ``backup-codes``."""

    description = "A TOTP code."

    code: TotpCode = Field(repr=False)

    def offered_code(self) -> OfferedCode:
        """Return the code."""
        return OfferedCode(Factor.TOTP, self.code)


class SecondFactorRequest(RequestBody):
    """Body of ``verify`` and ``disable``."""

    description = "Exactly one of a TOTP code and a backup code."

    code: TotpCode | None = Field(default=None, repr=False)
    backup_code: BackupCode | None = Field(default=None, alias="backupCode", repr=False)

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
    # Some clients send a byte order mark, which a JSON parser may ignore (RFC 8259 section 8.1).
    return raw.removeprefix(codecs.BOM_UTF8)


_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}".encode()
_GZIP: Final = (b"\x1f\x8b", b"\x1f" + _REPLACEMENT)
_UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)


def _why_not_json(raw: bytes, event: Event) -> str:
    """Return what is wrong with a body that is not JSON.

    A body that is compressed or not UTF-8 cannot be decoded here: without binary media types, API Gateway passes every
    body on as UTF-8 text, in which other bytes have become replacement characters.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    """
    coding = (request_header(event, "content-encoding") or "").strip().lower()
    if coding not in ("", "identity") or raw.startswith(_GZIP):
        return "The request body must not be compressed"
    charset = _CHARSET.search(request_header(event, "content-type") or "")
    if not _is_utf_8(raw) or (charset and charset[1].lower() not in _UTF_8):
        return _NOT_UTF_8
    return "The request body must be JSON"


_NOT_UTF_8: Final = "The request body must be UTF-8"


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return json.detect_encoding(raw).startswith("utf-8") and _REPLACEMENT not in raw


_FORMS: Final = {"code": "six digits", "backupCode": "four letters and four digits"}


def _problem(location: tuple[int | str, ...], kind: str) -> str:
    name = str(location[0]) if location else ""
    if kind == "value_error":
        return "Exactly one of code and backupCode is required"
    if kind == "extra_forbidden":
        return "The request body has an unknown field"
    if name not in _FORMS:
        return "The request body must be a JSON object"
    # A number loses the zeros that a code may begin with.
    string = "a string of " if kind == "string_type" else ""
    return f"{name} must be {string}{_FORMS[name]}"
