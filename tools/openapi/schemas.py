"""JSON Schemas (2020-12, as in OpenAPI 3.1) of what the routes take and answer, from their models."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import core_schema

from functions.shared.response_body import Answer, camel_case
from tools.openapi.handlers import plain_text

type Schema = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{model}"


class _Generator(GenerateJsonSchema):
    """Pydantic's schemas, with what an answer always holds marked as required, defaults included."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        if self.mode == "serialization":
            return field.get("serialization_exclude_if") is None
        return super().field_is_required(field, total)


def reference(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": _REFERENCE.format(model=name)}


def request_schemas(model: type[BaseModel]) -> dict[str, Schema]:
    """Return the named schemas of a request body, its own name's first.

    A body whose fields may each be left out takes exactly one of them: the others may be null. It becomes one schema
    a field, so that generated clients know the choice as a union of types.
    """
    schema = _schema_of(model, "validation")
    if "required" in schema:
        return {model.__name__: schema}
    fields: dict[str, Schema] = schema["properties"]
    stem = model.__name__.removesuffix("Request")
    variants = {f"{stem}By{name[0].upper()}{name[1:]}": name for name in fields}
    union = {"description": schema["description"], "oneOf": [reference(variant) for variant in variants]}
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


def answer_schemas(model: type[Any]) -> dict[str, Schema]:
    """Return the named schemas of an answer's body, its own name's first."""
    schema = _schema_of(model, "serialization")
    definitions: dict[str, Schema] = schema.pop("$defs", {})
    if issubclass(model, Answer):
        schema = _with_what_the_dataclass_says(schema, model)
    return {model.__name__: schema, **definitions}


def _schema_of(model: type[Any], mode: JsonSchemaMode) -> Schema:
    schema = TypeAdapter(model).json_schema(mode=mode, ref_template=_REFERENCE, schema_generator=_Generator)
    return _tidied(schema)


def _with_what_the_dataclass_says(schema: Schema, model: type[Answer]) -> Schema:
    """Add names, descriptions and constraints, which Pydantic does not take from a plain dataclass."""
    prose, _, attributes = inspect.getdoc(model).partition("\n\nAttributes\n")  # type: ignore[union-attr]
    described = dict(_attributes(attributes))
    properties = {
        camel_case(field.name): {
            "description": described[field.name],
            **schema["properties"][field.name],
            **field.metadata,
        }
        for field in dataclasses.fields(model)
    }
    required = [camel_case(name) for name in schema["required"]]
    return schema | {"description": plain_text(prose), "properties": properties, "required": required}


def _attributes(section: str) -> Iterator[tuple[str, str]]:
    """Yield the names and descriptions of a docstring's ``Attributes``."""
    for match in re.finditer(r"^(\w+) : .*\n((?: {4}.*\n?)+)", section, re.MULTILINE):
        yield match[1], plain_text(match[2])


def _without_null(schema: Schema) -> Schema:
    kept = [option for option in schema["anyOf"] if option != {"type": "null"}]
    (only,) = kept
    return only  # type: ignore[no-any-return]


def _tidied(schema: Schema) -> Schema:
    """Drop what Pydantic adds for forms, put the description first, and write ``T | None`` as JSON Schema does."""
    order: Callable[[str], int] = ["description", "type", "properties"].index
    known = {"description", "type", "properties"}
    tidied: Schema = {
        key: _tidied_value(key, schema[key])
        for key in sorted(schema, key=lambda key: order(key) if key in known else len(known))
        if key not in {"title", "default"}
    }
    match tidied:
        case {"anyOf": [{"type": str() as kind}, {"type": "null"}]} if len(tidied["anyOf"][0]) == 1:
            return {"type": [kind, "null"], **{key: value for key, value in tidied.items() if key != "anyOf"}}
    if "description" in tidied:
        tidied["description"] = plain_text(tidied["description"])
    return tidied


def _tidied_value(key: str, value: object) -> object:
    match key, value:
        case (("properties" | "$defs"), dict()):
            return {name: _tidied(each) for name, each in value.items()}
        case _, dict():
            return _tidied(value)
        case "anyOf", list():
            return [_tidied(each) for each in value]
    return value
