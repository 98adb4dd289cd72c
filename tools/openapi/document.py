"""The whole description, put together."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from functions.shared import contract
from functions.shared.contract import RESPONSE_HEADERS, STAGE_NAME, Endpoint, ErrorCode
from functions.shared.request_body import MAX_BODY_BYTES
from functions.shared.response_body import camel_case
from infra.config import FALLBACK_REGION
from infra.paths import REPOSITORY
from local.stack import DEFAULT_PORT
from tools.openapi.examples import REQUEST_ID, REQUEST_TIME, TIMESTAMP, answer_examples, request_examples
from tools.openapi.handlers import Handler, read_handler
from tools.openapi.responses import Refusal, refusals_by_status
from tools.openapi.schemas import Schema, answer_schemas, reference, request_schemas

type Document = dict[str, Any]

FILE: Final = REPOSITORY / "docs" / "openapi.json"
_MEDIA_TYPE: Final = RESPONSE_HEADERS["Content-Type"]


@dataclass(frozen=True)
class _Tag:
    """Routes that belong together."""

    name: str
    description: str
    routes: tuple[Endpoint, ...]


#: In the order of a second factor's life.
_TAGS: Final = (
    _Tag(
        "Enrol",
        "Connect an authenticator app: show its secret, then confirm it by a first code.",
        (contract.SETUP, contract.VERIFY_SETUP),
    ),
    _Tag(
        "Use",
        "Ask for the second factor at login, and tell where a user stands.",
        (contract.VERIFY, contract.STATUS),
    ),
    _Tag(
        "Change",
        "Replace the backup codes, or turn the second factor off; both take a code.",
        (contract.BACKUP_CODES, contract.DISABLE),
    ),
)

_DESCRIPTION: Final = f"""\
Enrol an authenticator app, confirm it, prove the second factor at login, and turn it off again. The routes act on the \
user of the access token and on nobody else.

- **Codes are forgiving to type.** Spaces and hyphens are ignored, letters may be in either case: `123 456` is \
`123456`, `abcd1234` is `ABCD-1234`.
- **Requests are strict.** A body is a JSON object of at most {MAX_BODY_BYTES} bytes with the members shown and no \
others; anything else is a 400.
- **Answers may grow.** Ignore members of a 200 answer that you do not know. An error body has exactly the four \
members shown. Branch on its `error`, not on its `message`.
- **A code is good once.** Where an answer to a request with a code does not arrive, or is a 503, the code may have \
been used: ask for the next one rather than sending it again.
- **Browsers** may call from the origins that a deployment allows, and may read `Retry-After` and `WWW-Authenticate`.

A path or method that is not described here is answered by the gateway with 404 and `error` \
`{ErrorCode.NOT_FOUND}`.
"""

#: What the headers beyond those of every answer mean.
_HEADERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "Retry-After": ("Seconds after which the request may be sent again.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": ("The challenge of RFC 6750.", {"type": "string"}),
}
_HEADERS_OF_EVERY_ANSWER: Final = {
    "Cache-Control": "Answers hold secrets and states of the moment: nothing may store them.",
    "X-Content-Type-Options": "The media type is the one that is said.",
}

_ERROR: Final = "Error"
_ERROR_MEMBERS: Final[Mapping[str, Schema]] = {
    "error": {"description": "What happened, for programs."},
    "message": {"description": "What happened, for people; may change.", "type": "string"},
    "request_id": {
        "description": "Quote it when asking for help.",
        "type": "string",
        "examples": [REQUEST_ID],
    },
    "timestamp": {
        "description": "When it happened, in UTC: ISO-8601 in seconds, or the gateway's own form where the request "
        "reached no function.",
        "type": "string",
        "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
        "|[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+]0000)$",
        "examples": [TIMESTAMP, REQUEST_TIME],
    },
}


@dataclass
class _Components:
    """Named parts, each described once."""

    schemas: dict[str, Schema] = field(default_factory=dict)
    responses: dict[str, Schema] = field(default_factory=dict)

    def add(self, section: str, name: str, part: Schema) -> Schema:
        """Add a part and return a reference to it.

        Raises
        ------
        ValueError
            Another part has the name.
        """
        parts: dict[str, Schema] = getattr(self, section)
        if parts.setdefault(name, part) != part:
            raise ValueError(f"two different {section} are called {name}")
        return {"$ref": f"#/components/{section}/{name}"}


def document() -> Document:
    """Return the description of the API."""
    components = _Components()
    components.schemas[_ERROR] = {}  # before those that refer to it
    paths: dict[str, dict[str, Any]] = {}
    codes: set[ErrorCode] = set()
    for tag in _TAGS:
        for route in tag.routes:
            refusals = refusals_by_status(route)
            codes |= {refusal.code for same_status in refusals.values() for refusal in same_status}
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, tag, refusals, components)
    components.schemas[_ERROR] = _error_schema(codes)
    return {
        "openapi": "3.1.1",
        "info": _info(),
        "servers": _servers(),
        "tags": [{"name": tag.name, "description": tag.description} for tag in _TAGS],
        "security": [{"accessToken": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of the configured OpenID Connect issuer; not an ID token. Its "
                    "`sub` is the user. Where the deployment requires a scope, the token must carry it.",
                }
            },
            "headers": {
                name: _header(description, {"type": "string", "const": RESPONSE_HEADERS[name]}, required=True)
                for name, description in _HEADERS_OF_EVERY_ANSWER.items()
            },
            "responses": components.responses,
            "schemas": components.schemas,
        },
    }


def text() -> str:
    """Return the description as it is written to the file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def write(path: Path = FILE) -> None:
    """Bring the file up to date."""
    path.write_text(text())


def _info() -> Document:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return {
        "title": "Multi-factor authentication",
        "version": project["version"],
        "summary": project["description"],
        "description": _DESCRIPTION,
        "license": {"name": project["license"], "identifier": project["license"]},
    }


def _servers() -> list[Document]:
    return [
        {
            "url": f"https://{{domain}}/{STAGE_NAME}",
            "description": "A deployment with a domain of its own",
            "variables": {"domain": {"default": "api.ailifestyle.app", "description": "The setting `domain_name`"}},
        },
        {
            "url": f"https://{{api}}.execute-api.{{region}}.amazonaws.com/{STAGE_NAME}",
            "description": "A deployment without one: the output `ApiUrl` of its service stack",
            "variables": {
                "api": {"default": "a1b2c3d4e5", "description": "The id of the API"},
                "region": {"default": FALLBACK_REGION, "description": "The region that it is deployed to"},
            },
        },
        {
            "url": f"http://127.0.0.1:{{port}}/_aws/execute-api/{{api}}/{STAGE_NAME}",
            "description": "This machine: `make run` prints the URL",
            "variables": {
                "port": {"default": str(DEFAULT_PORT), "description": "`LOCAL_PORT`"},
                "api": {"default": "a1b2c3d4", "description": "The id of the API, another one at each start"},
            },
        },
    ]


def _operation(route: Endpoint, tag: _Tag, refusals: Mapping[int, list[Refusal]], components: _Components) -> Document:
    handler = read_handler(route)
    operation: Document = {
        "operationId": camel_case(route.function),
        "tags": [tag.name],
        "summary": handler.summary,
        "description": handler.description,
    }
    if handler.request is not None:
        operation["requestBody"] = _request_body(handler.request, components)
    operation["responses"] = {"200": _answer(route, handler, components)} | {
        str(status): _refusal(same_status, components) for status, same_status in refusals.items()
    }
    return operation


def _request_body(model: type[BaseModel], components: _Components) -> Document:
    schemas = request_schemas(model)
    references = [components.add("schemas", name, schema) for name, schema in schemas.items()]
    content = {"schema": references[0], **_examples(request_examples(schemas))}
    return {"required": True, "content": {_MEDIA_TYPE: content}}


def _answer(route: Endpoint, handler: Handler, components: _Components) -> Document:
    schemas = answer_schemas(handler.answer)
    references = [components.add("schemas", name, schema) for name, schema in schemas.items()]
    description = schemas[handler.answer.__name__]["description"]
    return _response(description, {}, references[0], answer_examples(route))


def _refusal(refusals: list[Refusal], components: _Components) -> Document:
    """Return a reference to the response of one status, which may have several codes, messages and headers."""
    codes = list(dict.fromkeys(refusal.code for refusal in refusals))
    name = "Or".join("".join(map(str.title, code.removesuffix("_ERROR").split("_"))) for code in codes) + "Error"
    schema = components.add("schemas", name, _narrowed_error_schema(codes))
    response = _response(
        _explained(refusals),
        {
            header: _header(
                _HEADERS[header][0],
                _HEADERS[header][1],
                required=all(header in refusal.headers for refusal in refusals),
                example=next(refusal.headers[header] for refusal in refusals if header in refusal.headers),
            )
            for header in dict.fromkeys(header for refusal in refusals for header in refusal.headers)
        },
        schema,
        {refusal.name: refusal.body for refusal in refusals},
    )
    if all(refusal.by_gateway for refusal in refusals):
        # On other routes the function may answer with the same code for reasons of its own.
        name = f"{refusals[0].name[0].upper()}{refusals[0].name[1:]}Error"
    return components.add("responses", name, response)


def _explained(refusals: list[Refusal]) -> str:
    """Return when an answer comes; where there are several codes, for each of them."""
    reasons: dict[ErrorCode, dict[str, None]] = {}
    for refusal in refusals:
        reasons.setdefault(refusal.code, {})[refusal.when] = None
    if len(reasons) == 1:
        return " ".join(*reasons.values())
    return "\n".join(f"- `{code}`: {' '.join(when)}" for code, when in reasons.items())


def _error_schema(codes: set[ErrorCode]) -> Schema:
    """Return the schema of every error body, of whatever code."""
    properties = {**_ERROR_MEMBERS, "error": {**_ERROR_MEMBERS["error"], **_enum(codes)}}
    return {
        "description": "The body of every answer but 200 has exactly these members.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _narrowed_error_schema(codes: list[ErrorCode]) -> Schema:
    return {"allOf": [reference(_ERROR), {"type": "object", "properties": {"error": _enum(set(codes))}}]}


def _enum(codes: set[ErrorCode]) -> Schema:
    return {"type": "string", "enum": [str(code) for code in ErrorCode if code in codes]}


def _response(description: str, headers: Mapping[str, Schema], schema: Schema, examples: Mapping[str, Any]) -> Document:
    of_every_answer = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS_OF_EVERY_ANSWER}
    return {
        "description": description,
        "headers": {**headers, **of_every_answer},
        "content": {_MEDIA_TYPE: {"schema": schema, **_examples(examples)}},
    }


def _examples(values: Mapping[str, Any]) -> Document:
    return {"examples": {name: {"value": value} for name, value in values.items()}}


def _header(description: str, schema: Schema, *, required: bool, example: str | None = None) -> Document:
    if not required:
        description += " Some of these answers have none."
    header: Document = {"description": description, "required": required, "schema": schema}
    if example is not None:
        header["example"] = int(example) if schema["type"] == "integer" else example
    return header
