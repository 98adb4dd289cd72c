"""API Gateway events as the REST API sends them to a Lambda proxy integration."""

import json
from collections.abc import Mapping
from typing import Any

from functions.shared.contract import Endpoint

REQUEST_ID = "5b340a2f-d80a-46e0-a523-11476d9689cb"


def api_event(
    route: Endpoint,
    *,
    user_id: str | None = "user-1",
    label: str = "ada@example.com",
    scope: str = "",
    access_token: Mapping[str, str] | None = None,
    body: Any = None,
    headers: dict[str, str] | None = None,
    request_id: str = REQUEST_ID,
) -> dict[str, Any]:
    """Return the event of an authorized request; with ``user_id`` None, of one that no authorizer saw.

    ``access_token`` replaces what the authorizer passes on of the token besides; by default its subject is the user.
    """
    token = {"subject": user_id, "expires_at": "4102444800"} if access_token is None else access_token
    authorizer = None if user_id is None else {"user_id": user_id, "label": label, "scope": scope, **token}
    return {
        "resource": route.path,
        "path": route.path,
        "httpMethod": route.method,
        "headers": headers or {},
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": request_id,
            "stage": "v1",
            **({"authorizer": authorizer} if authorizer else {}),
        },
    }
