"""Calls the authorizer's own handler, with clocks that the tests turn."""

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from functions.shared.contract import SETUP, Endpoint
from tests.support.leaks import IN_PROCESS
from tests.support.tokens import NOW

METHOD_ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/v1/POST/auth/mfa/setup"


@dataclass
class Authorizer:
    """A fresh process of the authorizer."""

    handler: ModuleType
    now: float = NOW
    uptime: float = 1000.0

    def __post_init__(self) -> None:
        self.handler.verifier._clock = lambda: self.now
        self.handler.verifier._keys._monotonic = lambda: self.uptime

    def call(self, token: str | None = None, *, route: Endpoint = SETUP, **event: Any) -> dict[str, Any]:
        """Return the answer to a request with a bearer token; ``event`` replaces parts of the event."""
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
            "requestContext": {"requestId": "request-1", "stage": "v1"},
            **event,
        }
        answer: dict[str, Any] = self.handler.lambda_handler(request, None)
        json.dumps(answer, ensure_ascii=False).encode()  # as the Lambda runtime sends it
        return answer

    def allows(self, token: str) -> bool:
        return effect(self.call(token)) == "Allow"


def effect(answer: dict[str, Any]) -> str:
    """Return what a policy says."""
    (statement,) = answer["policyDocument"]["Statement"]
    return str(statement["Effect"])
