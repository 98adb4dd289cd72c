"""The declarations of the routes, and what may depend on them."""

import importlib

import pytest

from functions.shared.contract import ENDPOINTS, PROOF_ENDPOINTS, Endpoint
from infra.paths import REPOSITORY

FUNCTIONS = REPOSITORY / "functions"
EACH = pytest.mark.parametrize("endpoint", [*ENDPOINTS, *PROOF_ENDPOINTS], ids=lambda endpoint: endpoint.path)


@EACH
def test_each_function_declares_its_own_endpoint_with_words_and_errors(endpoint: Endpoint) -> None:
    module = importlib.import_module(f"functions.{endpoint.function}.route")
    (route,) = (each for each in getattr(module, "ROUTES", None) or (module.ROUTE,) if each.endpoint is endpoint)
    assert all([route.summary, route.description, route.response.description])
    assert all(error.description for error in route.errors)
    assert len({error.code for error in route.errors}) == len(route.errors)


def test_only_handlers_know_http_requests() -> None:
    importers = {path.name for path in FUNCTIONS.rglob("*.py") if "functions.shared.http import" in path.read_text()}
    assert importers == {"handler.py"}
