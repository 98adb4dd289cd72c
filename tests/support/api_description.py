"""``docs/openapi.json`` as a caller reads it: the responses of each route, and whether a response is described."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from openapi_schema_validator import OAS31Validator, oas31_format_checker

from functions.shared.contract import ENDPOINTS, REQUIRED_SCOPE_HEADER, RESPONSE_HEADERS, Endpoint
from infra.paths import REPOSITORY

FILE: Final = REPOSITORY / "docs" / "openapi.json"
#: The time format of the contract, and that of the gateway.
ISO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
GATEWAY_TIME: Final = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000")


@cache
def description() -> dict[str, Any]:
    """Return the committed description."""
    document: dict[str, Any] = json.loads(FILE.read_text())
    return document


def resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the target of a reference, or the part itself."""
    while "$ref" in part:
        found: Any = description()
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        part = found
    return part


def operation(route: Endpoint) -> Mapping[str, Any]:
    """Return the description of a route."""
    found: Mapping[str, Any] = description()["paths"][route.path][route.method.lower()]
    return found


def is_valid(schema: Mapping[str, Any], value: object) -> bool:
    """Return whether a value matches a schema of the description."""
    return not _problems(schema, value)


def _problems(schema: Mapping[str, Any], value: object) -> list[str]:
    root = {**schema, "components": description()["components"]}
    validator = OAS31Validator(root, format_checker=oas31_format_checker)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@dataclass(frozen=True)
class DescribedAnswer:
    """One example of a response."""

    route: Endpoint
    status: int
    name: str
    body: dict[str, Any]
    response: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.route.function}-{self.status}-{self.name}"

    @property
    def by_gateway(self) -> bool:
        """Whether the gateway itself responds: to a request without a valid token, or with its own time format."""
        return self.status == 401 or GATEWAY_TIME.fullmatch(str(self.body.get("timestamp"))) is not None


def described_answers() -> Iterator[DescribedAnswer]:
    """Yield every example of a response in the description."""
    for route in ENDPOINTS:
        for status, part in operation(route)["responses"].items():
            response = resolved(part)
            for name, example in response["content"]["application/json"]["examples"].items():
                yield DescribedAnswer(route, int(status), name, example["value"], response)


def assert_described(route: Endpoint, status: int, headers: Mapping[str, str], body: Any) -> None:
    """Fail unless the description has a response of the route, member for member."""
    responses = operation(route)["responses"]
    assert str(status) in responses, f"{route.path} does not describe {status}: {body}"
    response = resolved(responses[str(status)])
    schema = response["content"][headers["Content-Type"]]["schema"]
    assert _problems(schema, body) == []
    assert body.keys() <= _members(schema)
    for name, part in response["headers"].items():
        header = resolved(part)
        if name in headers:
            value = int(headers[name]) if header["schema"]["type"] == "integer" else headers[name]
            assert _problems(header["schema"], value) == [], name
        else:
            assert not header["required"], name
    described = {*response["headers"], "Content-Type"}
    sent = {REQUIRED_SCOPE_HEADER, "Retry-After", "WWW-Authenticate", *RESPONSE_HEADERS} & set(headers)
    assert sent <= described, "a header that the description does not have"


def _members(schema: Mapping[str, Any]) -> set[str]:
    """Return the names of the members that a schema allows."""
    found = resolved(schema)
    return {*found.get("properties", ())}.union(*(_members(part) for part in found.get("allOf", ())))
