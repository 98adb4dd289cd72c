"""``docs/api.md`` matches the code: every route, every error, and examples of the right form."""

import importlib
import json
import re
from typing import Any

import pytest

from functions.shared.contract import ENDPOINTS, Endpoint, ErrorCode
from functions.shared.route import Route
from infra.constructs.gateway_responses import GATEWAY_RESPONSES
from tests.support.pages import fences, quoted, rows, section
from tools.openapi.schemas import as_model

ROUTES = pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)


def section_of(route: Endpoint) -> str:
    return section("api.md", f"`{route.method} {route.path}`")


def declared(endpoint: Endpoint) -> Route[Any, Any]:
    route: Route[Any, Any] = importlib.import_module(f"functions.{endpoint.function}.route").ROUTE
    return route


@ROUTES
def test_each_route_lists_the_errors_that_it_may_answer_with(route: Endpoint) -> None:
    listed = section_of(route).split("Errors:")[1]
    assert set(re.findall("`([A-Z_]+)`", listed)) == {error.code for error in declared(route).errors}


@ROUTES
def test_each_routes_examples_have_the_fields_and_types_of_its_answer(route: Endpoint) -> None:
    model = as_model(declared(route).response)
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    examples = [json.loads(example) for example in fences(section_of(route), "json")]
    assert examples
    for example in examples:
        assert required <= example.keys() <= model.model_fields.keys()
        model.model_validate(example)


@ROUTES
def test_each_route_has_a_request_to_copy(route: Endpoint) -> None:
    command = fences(section_of(route), "bash")[0]
    assert f'"$API{route.path}"' in command
    assert ("-X POST" in command) == (route.method == "POST")


def test_every_error_code_is_explained_with_its_status() -> None:
    explained = {(int(status), *quoted(code)) for status, code, *_ in rows(section("api.md", "Errors"))}
    assert {code for _, code in explained} == set(ErrorCode)
    for route in ENDPOINTS:
        for error in declared(route).errors:
            assert (error.status, error.code) in explained
    for answer in GATEWAY_RESPONSES:
        if answer.status is not None:
            assert (answer.status, answer.error) in explained
