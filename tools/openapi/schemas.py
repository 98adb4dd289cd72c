"""JSON Schemas (2020-12, as in OpenAPI 3.1) of what the routes take and return, from their models."""

import dataclasses
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import JsonSchemaMode

from functions.shared.contract import Factor, ResponseWarning
from functions.shared.request_body import RequestBody
from functions.shared.response_body import ResponseBody

type Schema = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{model}"
#: The schemas of these classes keep older names, because generated clients name their own classes after them.
_PUBLISHED_NAMES: Final = {Factor.__name__: "Method", ResponseWarning.__name__: "AnswerWarning"}
_FIRST: Final = ("description", "type", "properties")


def reference(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": _REFERENCE.format(model=name)}


def request_schemas(model: type[RequestBody]) -> dict[str, Schema]:
    """Return the named schemas of a request body; the first one describes the body itself.

    A body whose fields are all optional takes exactly one of them; the others may be null. It becomes one schema per
    field, so that generated clients have the choice as a union of types.
    """
    schema = _schema_of(model, model.description, "validation")
    if "required" in schema:
        return {model.__name__: schema}
    fields: dict[str, Schema] = schema["properties"]
    stem = model.__name__.removesuffix("Request")
    variants = {f"{stem}By{name[0].upper()}{name[1:]}": name for name in fields}
    union = {"description": model.description, "oneOf": [reference(variant) for variant in variants]}
    return {model.__name__: union} | {
        variant: {
            "type": "object",
            "properties": {
                field: _without_null(fields[field]) if field == name else {"type": "null"} for field in (name, *fields)
            },
            "required": [name],
            "additionalProperties": False,
        }
        for variant, name in variants.items()
    }


def response_schemas(body: type[ResponseBody]) -> dict[str, Schema]:
    """Return the named schemas of a response body; the first one describes the body itself."""
    schema = _schema_of(as_model(body), body.description, "serialization")
    definitions: dict[str, Schema] = schema.pop("$defs", {})
    published = {_PUBLISHED_NAMES.get(name, name): enum for name, enum in definitions.items()}
    return {body.__name__: schema} | {
        name: {key: value for key, value in published[name].items() if key != "description"}
        for name in sorted(published)
    }


def as_model(body: type[ResponseBody]) -> type[BaseModel]:
    """Return a Pydantic model of a response body, with the JSON names, descriptions and constraints of its fields."""
    types = get_type_hints(body)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(body):
        constraints = {key: value for key, value in field.metadata.items() if key != "description"}
        default = ... if field.default is dataclasses.MISSING else field.default
        info = Field(default, description=field.metadata.get("description"), json_schema_extra=constraints)
        fields[body.member(field.name)] = (types[field.name], info)
    model: type[BaseModel] = create_model(body.__name__, **fields)
    return model


def _schema_of(model: type[BaseModel], description: str, mode: JsonSchemaMode) -> Schema:
    schema = model.model_json_schema(mode=mode, ref_template=_REFERENCE)
    return _tidied({**schema, "description": description})


def _without_null(schema: Schema) -> Schema:
    (only,) = (option for option in schema["anyOf"] if option != {"type": "null"})
    return only  # type: ignore[no-any-return]


def _tidied(schema: Schema) -> Schema:
    """Return a schema without titles and defaults, the description first, and ``T | None`` as a list of types."""
    match schema:
        case {"anyOf": [{"type": str() as kind, **more}, {"type": "null"}], **others} if not set(more) - {"title"}:
            schema = {"type": [kind, "null"], **others}
        case {"$ref": str() as target, **others}:
            schema = {**reference(_PUBLISHED_NAMES.get(name := target.rpartition("/")[2], name)), **others}
    places = {key: place for place, key in enumerate(_FIRST)}
    return {
        key: _tidied_value(key, schema[key])
        for key in sorted(schema, key=lambda key: places.get(key, len(places)))
        if key not in {"title", "default"}
    }


def _tidied_value(key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    match key, value:
        case (("properties" | "$defs"), dict()):
            return {name: _tidied(each) for name, each in value.items()}
        case _, dict():
            return _tidied(value)
        case "anyOf", list():
            return [_tidied(each) for each in value]
    return value
