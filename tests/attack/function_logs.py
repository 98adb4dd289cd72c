"""The metrics and the last log line of each request, from the logs of a function."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.metrics import emitted_metrics
from tests.support.stack import Aws


@dataclass
class RequestLog:
    """What a function logged for one request: each metric's count, and the line with the response's status."""

    metrics: dict[str, float] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


def request_logs(aws: Aws, function: str, *, environment: str, since: int) -> dict[str, RequestLog]:
    """Return what a function (by its Lambda name) logged since a time in epoch milliseconds, by request id."""
    found: dict[str, RequestLog] = {}
    group = f"/aws/lambda/{function}"
    invocations: dict[str, list[str]] = {}
    pages = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    for event in (event for page in pages for event in page["events"]):
        stream, message = event["logStreamName"], event["message"]
        if message.startswith("START "):
            invocations[stream] = []
        elif message.startswith("END "):
            log = _request_log(invocations.pop(stream, []), environment)
            found[log.fields.get("request_id", "")] = log
        else:
            invocations.setdefault(stream, []).append(message)
    return found


def _request_log(lines: list[str], environment: str) -> RequestLog:
    answered = [json.loads(line) for line in lines if '"duration_ms"' in line]
    return RequestLog(emitted_metrics("\n".join(lines), environment=environment), answered[0] if answered else {})
