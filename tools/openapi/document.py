"""The whole description."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.disable_mfa.route import ROUTE as DISABLE
from functions.mfa_status.route import ROUTE as STATUS
from functions.regenerate_backup_codes.route import ROUTE as BACKUP_CODES
from functions.setup_mfa.route import ROUTE as SETUP
from functions.shared.contract import REQUIRED_SCOPE_HEADER, RESPONSE_HEADERS, STAGE_NAME, ErrorCode
from functions.shared.request_body import MAX_BODY_BYTES, RequestBody
from functions.shared.response_body import ResponseBody, camel_case
from functions.shared.route import NoBody, Route
from functions.signing_keys.route import ROUTES as SIGNING_KEYS
from functions.verify_mfa.route import ROUTE as VERIFY
from functions.verify_mfa_setup.route import ROUTE as VERIFY_SETUP
from infra.config import FALLBACK_REGION
from infra.paths import REPOSITORY
from infra.project import PROJECT, VERSION
from local.stack import DEFAULT_PORT
from tools.openapi.examples import REQUEST_ID, REQUEST_TIME, TIMESTAMP, request_examples, response_examples
from tools.openapi.responses import ErrorResponse, error_responses
from tools.openapi.samples import code_samples
from tools.openapi.schemas import Schema, reference, request_schemas, response_schemas

type Document = dict[str, Any]
type _Components = dict[str, dict[str, Schema]]
"""Named parts by section, each described once."""

FILE: Final = REPOSITORY / "docs" / "openapi.json"
_MEDIA_TYPE: Final = RESPONSE_HEADERS["Content-Type"]


@dataclass(frozen=True)
class _Tag:
    """Routes that belong together."""

    name: str
    description: str
    routes: tuple[Route[Any, Any], ...]


#: In the order in which a user meets them.
_TAGS: Final = (
    _Tag(
        "Enrol",
        "Connect an authenticator app: show its secret, then confirm it with a first code.",
        (SETUP, VERIFY_SETUP),
    ),
    _Tag(
        "Use",
        "Check the second factor at login, and return the user's MFA status.",
        (VERIFY, STATUS),
    ),
    _Tag(
        "Change",
        "Replace the backup codes, or turn the second factor off; both require a code.",
        (BACKUP_CODES, DISABLE),
    ),
    _Tag(
        "Prove",
        "The public keys with which other APIs check the proof that a confirmed code returns.",
        SIGNING_KEYS,
    ),
)

_DESCRIPTION: Final = f"""\
Enrol an authenticator app, confirm it, prove the second factor at login, and turn it off again. The routes only act \
on the user of the access token.

- **Codes may be typed freely.** Spaces, dashes and invisible characters are ignored, letters may be in either case, \
digits of any script and full-width letters are accepted: `123 456` is `123456`, `abcd1234` is `ABCD-1234`. The \
patterns of the codes are in ASCII.
- **Requests are strict.** A body is a JSON object of at most {MAX_BODY_BYTES} bytes, in UTF-8 and not compressed, \
with only the members shown; anything else is a 400 whose message says what is wrong.
- **Responses may grow.** Ignore members of a 200 response that you do not know. An error body has exactly the four \
members shown. Branch on its `error`, not on its `message`.
- **A code is valid once.** If the response to a request with a code does not arrive, or is a 503, the code may have \
been used: ask for the next one, do not send it again.
- **Browsers** may call from the origins that a deployment allows, and may read `Date`, `Required-Scope`, \
`Retry-After` and `WWW-Authenticate`.

For a path or method that is not described here, the gateway returns 404 with `error` `{ErrorCode.NOT_FOUND}`.
"""

#: The headers that only some responses have.
_HEADERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "Retry-After": ("Seconds after which the request may be sent again.", {"type": "integer", "minimum": 1}),
    REQUIRED_SCOPE_HEADER: ("The scope that the access token lacks.", {"type": "string"}),
    "WWW-Authenticate": ("The challenge of RFC 6750.", {"type": "string"}),
}
_COMMON_HEADERS: Final = {
    "Cache-Control": "Responses contain secrets and momentary states, and must not be stored.",
    "X-Content-Type-Options": "Clients must not guess another media type.",
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
        "description": "When it happened, in UTC: ISO-8601 in seconds, or the gateway's own form if the request "
        "reached no function.",
        "type": "string",
        "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
        "|[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+]0000)$",
        "examples": [TIMESTAMP, REQUEST_TIME],
    },
}


def document() -> Document:
    """Return the description of the API."""
    components: _Components = {"responses": {}, "schemas": {_ERROR: {}}}  # the error's schema comes first
    paths: dict[str, dict[str, Any]] = {}
    codes: set[ErrorCode] = set()
    for tag in _TAGS:
        for route in tag.routes:
            errors = error_responses(route)
            codes |= {error.code for same_status in errors.values() for error in same_status}
            methods = paths.setdefault(route.endpoint.path, {})
            methods[route.endpoint.method.lower()] = _operation(route, tag, errors, components)
    components["schemas"][_ERROR] = _error_schema(codes)
    return {
        "openapi": "3.1.1",
        "info": _info(),
        # Beside this file; where the description is served, its pages are too.
        "externalDocs": {"description": "Integration guide", "url": "integration.md"},
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
                    "`sub` is the user. If the deployment requires a scope, the token must have it.",
                }
            },
            "headers": {
                name: _header(description, {"type": "string", "const": RESPONSE_HEADERS[name]}, required=True)
                for name, description in _COMMON_HEADERS.items()
            },
            **components,
        },
    }


def text() -> str:
    """Return the content of the file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _info() -> Document:
    return {
        "title": "MFA API",
        "version": VERSION,
        "summary": PROJECT["description"],
        "description": _DESCRIPTION,
        "contact": {"name": "AI Lifestyle", "url": "https://ailifestyle.app"},
        "license": {"name": PROJECT["license"], "identifier": PROJECT["license"]},
    }


def _servers() -> list[Document]:
    return [
        {
            "url": f"https://{{domain}}/{STAGE_NAME}",
            "description": "A deployment with its own domain",
            "variables": {"domain": {"default": "api.ailifestyle.app", "description": "The setting `domain_name`"}},
        },
        {
            "url": f"https://{{api}}.execute-api.{{region}}.amazonaws.com/{STAGE_NAME}",
            "description": "A deployment without its own domain: the output ApiUrl of its service stack",
            "variables": {
                "api": {"default": "a1b2c3d4e5", "description": "The id of the API"},
                "region": {"default": FALLBACK_REGION, "description": "The region of the deployment"},
            },
        },
        {
            "url": f"http://127.0.0.1:{{port}}/_aws/execute-api/{{api}}/{STAGE_NAME}",
            "description": "This machine: make run prints the URL",
            "variables": {
                "port": {"default": str(DEFAULT_PORT), "description": "`LOCAL_PORT`"},
                "api": {"default": "a1b2c3d4", "description": "The id of the API; each start has a new one"},
            },
        },
    ]


def _operation(
    route: Route[Any, Any], tag: _Tag, errors: Mapping[int, list[ErrorResponse]], components: _Components
) -> Document:
    operation: Document = {
        "operationId": _operation_id(route),
        "tags": [tag.name],
        "summary": route.summary,
        "description": route.description,
    }
    if route.public:
        operation["security"] = []
    if route.body is not NoBody:
        operation["requestBody"] = _request_body(route.body, components)
    if samples := code_samples(route.endpoint):
        operation["x-codeSamples"] = samples
    operation["responses"] = {"200": _success(route, components)} | {
        str(status): _error(same_status, components, public=route.public) for status, same_status in errors.items()
    }
    return operation


def _request_body(model: type[RequestBody], components: _Components) -> Document:
    schemas = request_schemas(model)
    references = [_added(components, "schemas", name, schema) for name, schema in schemas.items()]
    content = {"schema": references[0], **_examples(request_examples(schemas))}
    return {"required": True, "content": {_MEDIA_TYPE: content}}


def _operation_id(route: Route[Any, Any]) -> str:
    """Return a name for generated clients: the function's, or for one of a function's several routes the path's."""
    if not route.public:
        return camel_case(route.endpoint.function)
    last = route.endpoint.path.rpartition("/")[2]
    return camel_case(last.removesuffix(".json").replace("-", "_"))


def _success(route: Route[Any, Any], components: _Components) -> Document:
    body: type[ResponseBody] = route.response
    references = [_added(components, "schemas", name, schema) for name, schema in response_schemas(body).items()]
    response = _response(body.description, {}, references[0], response_examples(body))
    if route.public:
        cached = {"type": "string", "const": route.response_headers()["Cache-Control"]}
        response["headers"]["Cache-Control"] = _header("Caches may keep it.", cached, required=True)
    return response


def _error(errors: list[ErrorResponse], components: _Components, *, public: bool) -> Document:
    """Return a reference to the response of one status, which may have several codes, messages and headers."""
    codes = list(dict.fromkeys(error.code for error in errors))
    name = "Or".join("".join(map(str.title, code.removesuffix("_ERROR").split("_"))) for code in codes) + "Error"
    narrowed = {"allOf": [reference(_ERROR), {"type": "object", "properties": {"error": _enum(set(codes))}}]}
    schema = _added(components, "schemas", name, narrowed)
    response = _response(
        _explained(errors),
        {
            header: _header(
                *_HEADERS[header],
                required=all(header in error.headers for error in errors),
                example=next(error.headers[header] for error in errors if header in error.headers),
            )
            for header in dict.fromkeys(header for error in errors for header in error.headers)
        },
        schema,
        {error.name: error.body for error in errors},
    )
    if all(error.by_gateway for error in errors):
        # On other routes the function may return the same code for its own reasons.
        name = f"{errors[0].name[0].upper()}{errors[0].name[1:]}Error"
    elif public:
        name = f"Public{name}"  # without the authorizer's reasons
    return _added(components, "responses", name, response)


def _added(components: _Components, section: str, name: str, part: Schema) -> Schema:
    """Add a part and return a reference to it.

    Raises
    ------
    ValueError
        Another part has the name.
    """
    if components[section].setdefault(name, part) != part:
        raise ValueError(f"two different {section} are called {name}")
    return {"$ref": f"#/components/{section}/{name}"}


def _explained(errors: list[ErrorResponse]) -> str:
    """Return when a response occurs; if it has several codes, for each of them."""
    reasons: dict[ErrorCode, dict[str, None]] = {}
    for error in errors:
        reasons.setdefault(error.code, {})[error.when] = None
    if len(reasons) == 1:
        return " ".join(*reasons.values())
    return "\n".join(f"- `{code}`: {' '.join(when)}" for code, when in reasons.items())


def _error_schema(codes: set[ErrorCode]) -> Schema:
    """Return the schema of all error bodies."""
    properties = {**_ERROR_MEMBERS, "error": {**_ERROR_MEMBERS["error"], **_enum(codes)}}
    return {
        "description": "The body of every response other than 200 has exactly these members.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _enum(codes: set[ErrorCode]) -> Schema:
    return {"type": "string", "enum": [str(code) for code in ErrorCode if code in codes]}


def _response(description: str, headers: Mapping[str, Schema], schema: Schema, examples: Mapping[str, Any]) -> Document:
    common = {name: {"$ref": f"#/components/headers/{name}"} for name in _COMMON_HEADERS}
    return {
        "description": description,
        "headers": {**headers, **common},
        "content": {_MEDIA_TYPE: {"schema": schema, **_examples(examples)}},
    }


def _examples(values: Mapping[str, Any]) -> Document:
    return {"examples": {name: {"value": value} for name, value in values.items()}}


def _header(description: str, schema: Schema, *, required: bool, example: str | None = None) -> Document:
    if not required:
        description += " Some of these responses do not have it."
    header: Document = {"description": description, "required": required, "schema": schema}
    if example is not None:
        header["example"] = int(example) if schema["type"] == "integer" else example
    return header
