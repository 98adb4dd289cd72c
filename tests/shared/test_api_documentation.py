"""``docs/api.md`` says what the code does: every route, every error, and examples of the right form."""

import importlib
import json
import re
from typing import Any, get_type_hints

import pytest
from pydantic import AliasGenerator, BaseModel, ConfigDict, create_model
from pydantic.alias_generators import to_camel

from functions.shared.contract import ENDPOINTS, Endpoint, ErrorCode
from functions.shared.response_body import Answer
from infra.constructs.gateway_responses import GATEWAY_ANSWERS
from infra.paths import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "api.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL))
ROUTES = pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)


def section(route: Endpoint) -> str:
    return str(SECTIONS[f"`{route.method} {route.path}`"])


def response_model(route: Endpoint) -> type[BaseModel]:
    module = importlib.import_module(f"functions.{route.function}.models")
    found: type[object]
    (found,) = [value for name, value in vars(module).items() if name.endswith("Response")]
    if issubclass(found, BaseModel):
        return found
    assert issubclass(found, Answer)
    in_camel_case = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel))
    types: dict[str, Any] = {name: (type_, ...) for name, type_ in get_type_hints(found).items()}
    return create_model(found.__name__, __config__=in_camel_case, **types)


@ROUTES
def test_each_route_lists_the_errors_that_it_may_answer_with(route: Endpoint) -> None:
    errors = importlib.import_module(f"functions.{route.function}.errors").ROUTE_ERRORS
    listed = section(route).split("Errors:")[1]
    assert set(re.findall("`([A-Z_]+)`", listed)) == {error.code for error in errors}


@ROUTES
def test_each_routes_examples_have_the_fields_and_types_of_its_answer(route: Endpoint) -> None:
    properties = response_model(route).model_json_schema(mode="serialization")["properties"]
    examples = [json.loads(example) for example in re.findall("```json\n(.*?)```", section(route), re.DOTALL)]
    assert examples
    for example in examples:
        optional = {name for name, schema in properties.items() if "default" in schema and schema["default"] == []}
        assert properties.keys() - optional <= example.keys() <= properties.keys()
        model = response_model(route)
        by_alias = {field.serialization_alias or name: name for name, field in model.model_fields.items()}
        model.model_validate({by_alias[name]: value for name, value in example.items()})


@ROUTES
def test_each_route_has_a_request_to_copy(route: Endpoint) -> None:
    (command, *_) = re.findall("```bash\n(.*?)```", section(route), re.DOTALL)
    assert f'"$API{route.path}"' in command
    assert ("-X POST" in command) == (route.method == "POST")


def test_every_error_code_is_explained_with_its_status() -> None:
    table = SECTIONS["Errors"]
    rows = {(int(status), code) for status, code in re.findall(r"^\| (\d{3}) \| `([A-Z_]+)` \|", table, re.MULTILINE)}
    assert {code for _, code in rows} == set(ErrorCode)
    for route in ENDPOINTS:
        for error in importlib.import_module(f"functions.{route.function}.errors").ROUTE_ERRORS:
            assert (error.status, error.code) in rows
    for answer in GATEWAY_ANSWERS:
        if answer.status is not None:
            assert (answer.status, answer.error) in rows
