"""What reaches a caller through API Gateway."""

import re
import time
from typing import Any, Final

from functions.shared.clock import epoch_from_iso
from functions.shared.contract import (
    ENDPOINTS,
    STATUS,
    UNAUTHORIZED_MESSAGE,
    VERIFY,
    WWW_AUTHENTICATE,
    Endpoint,
    Env,
    ErrorCode,
)
from tests.acceptance.deployment import Deployment
from tests.acceptance.model import DoesNotHoldError, NotAnswerableError, expect, require
from tests.support.stack import HttpResponse

FOREIGN_ORIGIN: Final = "https://acceptance.invalid"
#: API Gateway's limit on a request's body is 10 MB.
TOO_LARGE_BYTES: Final = 10 * 2**20 + 1
#: Lambda's limit on an event is 6 MB.
TOO_LARGE_FOR_LAMBDA_BYTES: Final = 7 * 2**20
#: Matches a rule of AWSManagedRulesKnownBadInputsRuleSet.
ATTACK: Final = {"X-Acceptance": "${jndi:ldap://acceptance.invalid/a}"}
_CLOCK_SECONDS: Final = 300
_ERROR_MEMBERS: Final = {"error", "message", "request_id", "timestamp"}


def refused_without_token(deployment: Deployment) -> str:
    """Call every route without a token, and compare the 401 exactly."""
    return _unauthorized(deployment, None)


def refused_with_invalid_token(deployment: Deployment) -> str:
    """Call every route with a token that is not a JWT, and compare the 401 exactly."""
    return _unauthorized(deployment, "not-a-token")


def _unauthorized(deployment: Deployment, token: str | None) -> str:
    origin = next(iter(_origins(deployment)), None)
    for route in ENDPOINTS:
        headers = {"Origin": origin} if origin else {}
        answer = deployment.api.request(route.method, route.path, token=token, headers=headers)
        body = _error(answer, 401, ErrorCode.UNAUTHORIZED, _name(route))
        expect(body["message"], UNAUTHORIZED_MESSAGE, f"message of {_name(route)}")
        require(
            re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["timestamp"])
            and abs(epoch_from_iso(body["timestamp"]) - time.time()) < _CLOCK_SECONDS,
            f"timestamp of {_name(route)}: expected now, as 2024-01-20T10:00:00Z, got {body['timestamp']!r}",
        )
        expect(answer.headers.get("WWW-Authenticate"), WWW_AUTHENTICATE, f"WWW-Authenticate of {_name(route)}")
        require(not origin or _allows(answer, origin), f"{_name(route)}: the page at {origin} cannot read the error")
    return f"{len(ENDPOINTS)} routes"


def unknown_paths_and_methods(deployment: Deployment) -> str:
    """Call a path and a method that do not exist, with a valid token and without one."""
    tried = [("GET", f"{STATUS.path}/acceptance"), ("DELETE", STATUS.path), ("GET", VERIFY.path)]
    for method, path in tried:
        for token in (deployment.token, None):
            answer = deployment.api.request(method, path, token=token)
            _error(answer, 404, ErrorCode.NOT_FOUND, f"{method} {path} {'with' if token else 'without'} a token")
    return f"{len(tried)} requests with a token, {len(tried)} without"


def too_large(deployment: Deployment) -> str:
    """Send a body of more than 10 MB, and one of 7 MB, which is more than Lambda takes."""
    answer = deployment.api.request(VERIFY.method, VERIFY.path, token=deployment.token, content=b"x" * TOO_LARGE_BYTES)
    _error(answer, 413, ErrorCode.PAYLOAD_TOO_LARGE, "a body of more than 10 MB")
    content = b"x" * TOO_LARGE_FOR_LAMBDA_BYTES
    answer = deployment.api.request(VERIFY.method, VERIFY.path, token=deployment.token, content=content)
    require(answer.status in (400, 413), f"a body of 7 MB: expected 400 or 413, got {answer.status}")
    return "413"


def other_media_types(deployment: Deployment) -> str:
    """Send XML and JSON of another media type, and compare with JSON."""
    for kind in ("application/xml", "text/plain"):
        answer = deployment.api.request(
            VERIFY.method,
            VERIFY.path,
            token=deployment.token,
            content=b"<code/>",
            headers={"Content-Type": kind},
        )
        if answer.status == 415:
            _error(answer, 415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, kind)
        else:
            _error(answer, 400, ErrorCode.VALIDATION_ERROR, kind)
    return f"{answer.status}"


def preflights(deployment: Deployment) -> str:
    """Send a preflight from each configured origin, from another one, and one with a body of another media type."""
    origins = _origins(deployment)
    if not origins:
        raise NotAnswerableError("no origin is configured")
    for origin in origins:
        for route in ENDPOINTS:
            answer = _preflight(deployment, route, FOREIGN_ORIGIN if origin == "*" else origin)
            require(answer.status in (200, 204), f"preflight of {_name(route)}: expected 204, got {answer.status}")
            require(_allows(answer, origin), f"preflight of {_name(route)}: {origin} is not allowed")
            methods = answer.headers.get("Access-Control-Allow-Methods", "")
            require(route.method in methods, f"preflight of {_name(route)}: {route.method} is not allowed")
            allowed = answer.headers.get("Access-Control-Allow-Headers", "").lower()
            require("authorization" in allowed, f"preflight of {_name(route)}: Authorization is not allowed")
    if "*" not in origins:
        require(
            not _allows(_preflight(deployment, VERIFY, FOREIGN_ORIGIN), FOREIGN_ORIGIN),
            "a page of another origin may call the API",
        )
    headers = {"Origin": origins[0], "Content-Type": "text/plain"}
    answer = deployment.api.request("OPTIONS", VERIFY.path, content=b"x", headers=headers)
    _error(answer, 415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, "a preflight with text in its body")
    return f"{len(origins)} origins"


def _preflight(deployment: Deployment, route: Endpoint, origin: str) -> HttpResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": route.method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return deployment.api.request("OPTIONS", route.path, headers=headers)


def known_attacks(deployment: Deployment) -> str:
    """Send a header with a known attack to the stage's firewall."""
    lists = deployment.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    if f"mfa-{deployment.environment}" not in {each["Name"] for each in lists}:
        raise NotAnswerableError("this environment has no firewall")
    answer = deployment.api.request(STATUS.method, STATUS.path, token=deployment.token, headers=ATTACK)
    _error(answer, 403, ErrorCode.FORBIDDEN, "a known attack")
    return "403"


def _origins(deployment: Deployment) -> list[str]:
    configured = deployment.variables(STATUS.function).get(Env.CORS_ALLOWED_ORIGINS, "")
    return [each for each in configured.split(",") if each]


def _allows(answer: HttpResponse, origin: str) -> bool:
    return answer.headers.get("Access-Control-Allow-Origin") in (origin, "*")


def _error(answer: HttpResponse, status: int, error: ErrorCode, what: str) -> dict[str, Any]:
    """Return the body of an error in the contract's form."""
    expect(answer.status, status, what)
    try:
        body = answer.json()
    except AssertionError:
        raise DoesNotHoldError(f"{what}: the body is not JSON") from None
    require(isinstance(body, dict) and set(body) == _ERROR_MEMBERS, f"{what}: the body is not in the contract's form")
    expect(body["error"], error, what)
    require(body["request_id"], f"{what}: the body has no request id")
    expect(answer.headers.get("Cache-Control"), "no-store", f"Cache-Control of {what}")
    found: dict[str, Any] = body
    return found


def _name(route: Endpoint) -> str:
    return f"{route.method} {route.path}"
