"""The data protection of log groups, tried on a temporary log group with the policy of a deployed one."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from functions.shared.contract import SETUP
from tests.acceptance.deployment import Deployment, dimensions_of
from tests.acceptance.model import require

#: Made up; it matches every pattern of the policy.
SECRETS: Final = ("otpauth://totp/acceptance?secret=MADEUPMADEUPMADEUPMADEUPMADEUP22", "ABCD-1234")
LINE: Final = f"acceptance check: {SECRETS[0]} {SECRETS[1]}"
_STREAM: Final = "acceptance"
_COUNTED: Final = "LogEventsWithFindings"


def masked_and_counted(deployment: Deployment) -> str:
    """Write a made-up `otpauth` line into a temporary log group with the policy, read it, and look for its count."""
    logs = deployment.client("logs")
    with _protected_group(deployment) as group:
        now = int(time.time() * 1000)
        logs.put_log_events(logGroupName=group, logStreamName=_STREAM, logEvents=[{"timestamp": now, "message": LINE}])

        def read() -> list[str]:
            events = logs.get_log_events(logGroupName=group, logStreamName=_STREAM, startFromHead=True)["events"]
            return [event["message"] for event in events]

        lines = deployment.until(read, seconds=deployment.patience.messages)
        require(lines, "the line did not arrive")
        require(not any(secret in line for secret in SECRETS for line in lines), "a secret is not masked")
        found = deployment.until(lambda: _counts(deployment, group), seconds=deployment.patience.metrics)
    require(found, f"AWS/Logs {_COUNTED} does not count the log group")
    wanted, seen = _alarm_dimensions(deployment), [set(dimensions) for dimensions in found]
    require(
        any(each in seen for each in wanted.values()) or not wanted,
        f"AWS has the dimensions {seen}, and no alarm reads them: "
        + ", ".join(f"{name} reads {sorted(each)}" for name, each in wanted.items()),
    )
    return "masked, and counted by " + ", ".join(f"{name}={value}" for name, value in found[0].items())


def _counts(deployment: Deployment, group: str) -> list[dict[str, str]]:
    metrics = deployment.client("cloudwatch").list_metrics(Namespace="AWS/Logs", MetricName=_COUNTED)["Metrics"]
    return [dimensions for each in metrics if group in (dimensions := dimensions_of(each)).values()]


def _alarm_dimensions(deployment: Deployment) -> dict[str, set[str]]:
    """Return the dimensions that each alarm of masked log events reads, by the alarm's name."""
    found = {}
    for name, alarm in deployment.alarms().items():
        if "-secret-in-logs" in name:
            queries: list[dict[str, Any]] = [query for query in alarm["Metrics"] if "MetricStat" in query]
            found[name] = set(dimensions_of(queries[0]["MetricStat"]["Metric"]))
    return found


@contextmanager
def _protected_group(deployment: Deployment) -> Iterator[str]:
    """Create a log group with the policy of a function's, and delete it after the block."""
    logs, name = deployment.client("logs"), f"/mfa/acceptance-{uuid.uuid4()}"
    deployed = f"/aws/lambda/{deployment.lambda_name(SETUP.function)}"
    policy = logs.get_data_protection_policy(logGroupIdentifier=deployed)["policyDocument"]
    logs.create_log_group(logGroupName=name)
    try:
        logs.put_data_protection_policy(logGroupIdentifier=name, policyDocument=policy)
        logs.create_log_stream(logGroupName=name, logStreamName=_STREAM)
        yield name
    finally:
        logs.delete_log_group(logGroupName=name)
