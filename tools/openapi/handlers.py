"""What a route takes and answers, read from its handler's source.

Read, not imported: importing a handler reads a function's environment and makes its clients of AWS.
"""

import ast
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

import functions
from functions.shared.contract import Endpoint
from functions.shared.request_body import parse_body

_FUNCTIONS: Final = Path(functions.__file__).parent


@dataclass(frozen=True)
class Handler:
    """A route's handler.

    Attributes
    ----------
    summary
        The first line of its docstring, without the full stop.
    description
        The rest of its docstring.
    request
        The model of the request body; None for a route that takes none.
    answer
        The model of the 200 answer: a Pydantic model or an `Answer`.
    """

    summary: str
    description: str
    request: type[BaseModel] | None
    answer: type[Any]


def read_handler(route: Endpoint) -> Handler:
    """Read the handler of a route.

    Raises
    ------
    ValueError
        The handler is not written as the others are.
    """
    module = ast.parse((_FUNCTIONS / route.function / "handler.py").read_text())
    (handler,) = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "lambda_handler")
    origins = {
        alias.asname or alias.name: node.module
        for node in module.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    summary, _, description = inspect.cleandoc(ast.get_docstring(handler) or "").partition("\n")
    if not summary or not description.strip():
        raise ValueError(f"the handler of {route.path} has no docstring of a summary and a description")
    return Handler(
        summary.removesuffix("."),
        plain_text(description),
        _request_model(handler, origins),
        _imported(handler.returns, origins),
    )


def _request_model(handler: ast.FunctionDef, origins: Mapping[str, str]) -> type[BaseModel] | None:
    """Return what the handler parses the body with: ``parse_body(Model, …)``."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == parse_body.__name__:
            model: type[BaseModel] = _imported(node.args[0], origins)
            return model
    return None


def _imported(node: ast.expr | None, origins: Mapping[str, str]) -> type[Any]:
    if not isinstance(node, ast.Name) or node.id not in origins:
        raise ValueError(f"expected the name of an imported model: {ast.dump(node) if node else None}")
    found: type[Any] = getattr(importlib.import_module(origins[node.id]), node.id)
    return found


def plain_text(docstring: str) -> str:
    """Return a docstring's prose as Markdown: a line a paragraph, literals in single backticks."""
    paragraphs = inspect.cleandoc(docstring).replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()
