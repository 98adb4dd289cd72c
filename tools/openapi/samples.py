"""Samples of a call of each route: in a shell, and with the clients in ``clients/``."""

import json
from typing import Any, Final

from functions.shared.contract import BACKUP_CODES, DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from functions.shared.response_body import camel_case

#: Each route's method in Python, which has the same name in JavaScript, and what it takes in JavaScript and in Python.
_METHODS: Final[dict[Endpoint, tuple[str, str, str]]] = {
    SETUP: ("setup", "", ""),
    VERIFY_SETUP: ("verify_setup", '"123456"', '"123456"'),
    VERIFY: ("verify", '{ code: "123456" }', 'typed_code("123456")'),
    STATUS: ("status", "", ""),
    BACKUP_CODES: ("new_backup_codes", '"123456"', '"123456"'),
    DISABLE: ("disable", '{ code: "123456" }', 'typed_code("123456")'),
}


def code_samples(endpoint: Endpoint) -> list[dict[str, str]]:
    """Return the samples of a route in the form of Redocly's extension ``x-codeSamples``; none for other routes."""
    if endpoint not in _METHODS:
        return []
    method, javascript_body, python_body = _METHODS[endpoint]
    arguments = ", ".join(filter(None, ("token", python_body)))
    names = "MfaClient, typed_code" if "typed_code" in python_body else "MfaClient"
    return [
        {"lang": "Shell", "label": "curl", "source": _curl(endpoint, {"code": "123456"} if python_body else None)},
        {
            "lang": "JavaScript",
            "label": "JavaScript",
            "source": 'import { MfaClient } from "./mfa.js";\n\n'
            "const mfa = new MfaClient({ baseUrl: api, accessToken: () => token });\n"
            f"const result = await mfa.{camel_case(method)}({javascript_body});",
        },
        {
            "lang": "Python",
            "label": "Python",
            "source": f"from mfa import {names}\n\nresult = MfaClient(api).{method}({arguments})",
        },
    ]


def _curl(endpoint: Endpoint, body: dict[str, Any] | None) -> str:
    method = "" if endpoint.method == "GET" else f"-X {endpoint.method} "
    lines = [f'curl -s {method}"$API{endpoint.path}"', '-H "Authorization: Bearer $TOKEN"']
    if body is not None:
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(body)}'"]
    return " \\\n  ".join(lines)
