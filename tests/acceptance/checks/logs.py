"""The lines of the functions and of the access log."""

import json
import time
import uuid
from typing import Any, Final

from functions.shared.contract import DISABLE, Endpoint
from infra.outputs import Output, StackId
from tests.acceptance.deployment import Deployment
from tests.acceptance.model import DoesNotHoldError, expect, require

QUOTED: Final = 'acceptance "quoted" \\ agent'


def one_request_id(deployment: Deployment) -> str:
    """Send a request with an id of our own, and read the response, the function's line and the access log's line."""
    chosen = str(uuid.uuid4())
    said = _request(deployment, DISABLE, {"X-Amzn-RequestId": chosen})
    line = _line(deployment, _function_log(deployment, DISABLE), said)
    access = _line(deployment, _access_log(deployment), said)
    expect(line["request_id"], said, "id in the function's log")
    expect(access["request_id"], said, "id in the access log")
    own = access["extended_request_id"]
    require(own not in ("", "-", chosen), f"extended id in the access log: expected one of the gateway, got {own!r}")
    return f"the id of the {'caller' if said == chosen else 'gateway'}"


def versions(deployment: Deployment) -> str:
    """Read the version in a function's line, and compare it with the output of the stack."""
    said = _request(deployment, DISABLE, {})
    deployed = deployment.outputs(StackId.SERVICE)[Output.VERSION]
    expect(_line(deployment, _function_log(deployment, DISABLE), said).get("version"), deployed, "version in the log")
    return deployed


def quoted_user_agent(deployment: Deployment) -> str:
    """Send a User-Agent with quotation marks and a backslash, and parse the line of the access log."""
    said = _request(deployment, DISABLE, {"User-Agent": QUOTED})
    expect(_line(deployment, _access_log(deployment), said)["user_agent"], QUOTED, "user_agent")
    return "valid JSON"


def _request(deployment: Deployment, route: Endpoint, headers: dict[str, str]) -> str:
    """Make a request that changes nothing, and return the id in its body."""
    answer = deployment.api.request(
        route.method, route.path, token=deployment.token, body={"code": "000000"}, headers=headers
    )
    require(answer.status < 500, f"{route.method} {route.path} answered {answer.status}")
    found = str(answer.json().get("request_id", ""))
    require(found, "expected an error with a request id, because MFA is off for this user")
    return found


def _function_log(deployment: Deployment, route: Endpoint) -> str:
    return f"/aws/lambda/{deployment.lambda_name(route.function)}"


def _access_log(deployment: Deployment) -> str:
    return f"/aws/apigateway/mfa-{deployment.environment}"


def _line(deployment: Deployment, group: str, request_id: str) -> dict[str, Any]:
    """Return the line of a log group with a request id, waiting for it."""
    logs, since = deployment.client("logs"), int((time.time() - 600) * 1000)

    def look() -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=f'"{request_id}"', startTime=since
        )
        return [event["message"] for page in pages for event in page["events"]]

    lines = deployment.until(look, seconds=deployment.patience.messages)
    require(lines, f"{group} has no line with the id of the request")
    for line in lines:
        try:
            found: dict[str, Any] = json.loads(line)
        except ValueError:
            if not line.startswith(("START ", "END ", "REPORT ")):
                raise DoesNotHoldError(f"a line of {group} is not JSON") from None
        else:
            return found
    raise DoesNotHoldError(f"{group} has only the platform's lines of the request")
