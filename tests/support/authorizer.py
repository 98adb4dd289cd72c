"""Calls the authorizer's own handler, with a clock that the tests set."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from functions.jwt_authorizer.keys import JwksEndpoint
from functions.shared.contract import SETUP, Endpoint, Env
from tests.support.events import REQUEST_ID
from tests.support.leaks import IN_PROCESS
from tests.support.tokens import NOW

type LoadAuthorizer = Callable[..., Authorizer]

METHOD_ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/v1/POST/auth/mfa/setup"


class Authorizer:
    """A new process of the authorizer with environment variables; ``now`` is its time in epoch seconds."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        # The module creates a handler when it is imported, for which a fixture has set the environment.
        from functions.jwt_authorizer.handler import create_handler

        self.now: float = NOW
        self.source = JwksEndpoint(environ[Env.JWT_JWKS_URL])
        self.lambda_handler: Any = create_handler(environ, lambda: self.now, source=self.source)

    def call(self, token: str | None = None, *, route: Endpoint = SETUP, **event: Any) -> dict[str, Any]:
        """Return the response to a request with a bearer token; ``event`` replaces parts of the event."""
        IN_PROCESS.add_token(token or "")
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = {
            "type": "REQUEST",
            "methodArn": METHOD_ARN,
            "resource": route.path,
            "path": route.path,
            "httpMethod": route.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "requestContext": {"requestId": REQUEST_ID, "stage": "v1"},
            **event,
        }
        answer: dict[str, Any] = self.lambda_handler(request, None)
        json.dumps(answer, ensure_ascii=False).encode()  # as the Lambda runtime sends it
        return answer

    def allows(self, token: str) -> bool:
        return effect(self.call(token)) == "Allow"


def effect(answer: dict[str, Any]) -> str:
    """Return the effect of a policy: Allow or Deny."""
    (statement,) = answer["policyDocument"]["Statement"]
    return str(statement["Effect"])
