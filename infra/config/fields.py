"""Types of settings, and the one-line error of an invalid value."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Annotated, Any, ClassVar, Final, Self

from annotated_types import Predicate
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from functions.shared import formats


class ConfigError(Exception):
    """A setting is unknown or invalid, or two contradict each other; the message is one line."""


def expected(words: str) -> object:
    """Return the part of a type that says what a value must be, worded to follow "expected"."""
    return Field(json_schema_extra={"expected": words})


def text(pattern: str, words: str) -> object:
    """Return the constraint that a text matches the whole pattern."""
    return Field(pattern=f"^(?:{pattern})$", json_schema_extra={"expected": words})


def _arn(service: str, resource: str, example: str) -> object:
    return text(formats.arn(service, resource), f"an ARN such as arn:aws:{service}:us-east-1:123456789012:{example}")


def _is_url(value: str, *, with_query: bool = False) -> bool:
    parts = formats.split_url(value)
    known = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment
    return known and (with_query or not parts.query)


def _origin(value: str, info: ValidationInfo) -> str:
    if fault := formats.origin_fault(value):
        raise ConfigError(f"{info.field_name}: expected {fault}, got {value!r}")
    return value


#: Not ``None``, which an optional field would accept.
_INVALID: Final = object()

_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_UUID: Final = "1234abcd-12ab-34cd-56ef-1234567890ab"

Word = Annotated[str, text(r"\S+", "text without spaces")]
Account = Annotated[str, text("[0-9]{12}", "an account number of 12 digits")]
Region = Annotated[str, text(formats.REGION, "an AWS region such as us-east-1")]
Domain = Annotated[str, Field(max_length=253), text(rf"({_LABEL}\.)+{_LABEL}", "a domain name such as api.example.com")]
TableName = Annotated[str, text(formats.TABLE_NAME, "the name of a DynamoDB table")]
EventBus = Annotated[str, text(formats.EVENT_BUS, "the name or ARN of an EventBridge bus")]
KeyArn = Annotated[str, _arn("kms", formats.KMS_KEY, f"key/{_UUID}")]
#: Who signs a request, with ``*`` for any part: a role or a user.
Principal = Annotated[
    str,
    text(
        r"arn:aws[a-z-]*:iam::([0-9]{12}|\*):(role|user)/[\w+=,.@/*-]+",
        "the ARN of a role such as arn:aws:iam::123456789012:role/operator",
    ),
]
StreamArn = Annotated[
    str,
    _arn("dynamodb", "table/[A-Za-z0-9_.-]+/stream/[0-9:.T-]+", "table/users/stream/2026-01-01T00:00:00.000"),
]
ProofAudience = Annotated[str, text(r"\S{1,255}", "an audience of up to 255 characters, without spaces")]
ProofKey = Annotated[
    str,
    text(rf"{_LABEL}|{formats.KMS_KEY_ARN}", "a name such as key-1, or the ARN of an existing KMS key"),
]
CertificateArn = Annotated[str, _arn("acm", "certificate/[a-z0-9-]+", f"certificate/{_UUID}")]
HostedZoneId = Annotated[str, text("Z[A-Z0-9]{1,31}", "a hosted zone's id such as Z0123456789ABCDEFGHIJ")]
Url = Annotated[str, Predicate(_is_url), expected("an https:// URL")]
Origin = Annotated[str, AfterValidator(_origin), expected("an origin such as https://app.example.com, or *")]
HeaderName = Annotated[str, text(formats.HEADER_NAME, "the name of a header")]
DisplayName = Annotated[
    str, Predicate(formats.is_display_name), expected("a name that is not blank, of printable characters")
]
#: Entra ID gives the keys of one application at a URL with a query.
UrlWithQuery = Annotated[str, Predicate(partial(_is_url, with_query=True)), expected("an https:// URL")]
Claim = Annotated[str, text(r"\S+", "the name of a claim")]


class Settings(BaseModel):
    """Settings that are frozen, read from text or values, and refused in one line.

    Raises
    ------
    ConfigError
        On construction: the first field whose value is not as expected.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    #: What precedes a field's name on the command line.
    prefix: ClassVar[str] = ""

    def __replace__(self, **changes: Any) -> Self:  # noqa: ANN401 - each field has its type
        """Return a copy for ``copy.replace``, checked like any other."""
        return type(self)(**{**dict(self), **changes})

    @field_validator("*", mode="before")
    @classmethod
    def _read_text(cls, value: object, info: ValidationInfo) -> object:
        return _from_text(_schemas(cls)[str(info.field_name)], value) if isinstance(value, str) else value

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_in_one_line(cls, data: Any, handler: Callable[[Any], Self]) -> Self:  # noqa: ANN401 - as given
        try:
            return handler(data)
        except ValidationError as error:
            name = str(error.errors()[0]["loc"][0])
            if name not in cls.model_fields:
                raise
            words = _expectation(_schemas(cls)[name])
            raise ConfigError(f"{cls.prefix}{name}: expected {words}, got {data[name]!r}") from None


@cache
def _schemas(model: type[BaseModel]) -> Mapping[str, Any]:
    """Return the JSON schema of each field."""
    schemas: Mapping[str, Any] = model.model_json_schema()["properties"]
    return schemas


def _from_text(schema: Mapping[str, Any], text: str) -> object:
    """Return the value that a text stands for; where it is invalid, the text or what no field accepts."""
    match schema:
        case {"anyOf": [value, {"type": "null"}]}:
            return _from_text(value, text) if text else None
        case {"type": "array"}:
            return tuple(part.strip() for part in text.split(",")) if text else ()
        case {"type": "boolean"}:
            return {"true": True, "false": False}.get(text.lower(), _INVALID)
        case {"enum": values}:
            return {str(value): value for value in values}.get(text, _INVALID)
    return text


def _expectation(schema: Mapping[str, Any]) -> str:
    """Return what a field's value must be, worded to follow "expected"."""
    match schema:
        case {"expected": words}:
            return str(words)
        case {"anyOf": [value, {"type": "null"}]}:
            return f"{_expectation(value)}, or nothing"
        case {"items": item}:
            return f"a comma separated list, each {_expectation(item)}"
        case {"type": "boolean"}:
            return "true or false"
        case {"enum": values}:
            return f"one of {', '.join(map(str, values))}"
        case {"minimum": low, "maximum": high}:
            return f"a whole number from {low} to {high}"
    return "a number above 0"
