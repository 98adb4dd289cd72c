"""Draw the dashboard of a running local stack: ``python -m local.cloudwatch.preview --seconds 150``."""

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import boto3

from local.cloudwatch.dashboard_body import problems
from local.cloudwatch.preview.contents import Window, statistics_shown
from local.cloudwatch.preview.drawing import Picture
from local.cloudwatch.preview.source import CloudWatchMetrics, alarm_states, log_events
from local.cloudwatch.preview.traffic import Traffic

_PEOPLE: Final = 14
_PERIODS: Final = 40


def main() -> int:
    """Send traffic, read what became of it, draw it; return the exit status."""
    options = _parser().parse_args()
    try:
        stack: dict[str, Any] = json.loads(options.stack.read_text())
    except FileNotFoundError:
        print(f"{options.stack}: no local stack is running there; start one with: make up", file=sys.stderr)
        return 1
    aws = boto3.Session(
        aws_access_key_id=stack["access_key_id"],
        aws_secret_access_key=stack["secret_access_key"],
        region_name=stack["region"],
    )
    cloudwatch, logs, kms = (
        aws.client(service, endpoint_url=stack["endpoint_url"]) for service in ("cloudwatch", "logs", "kms")
    )

    def set_key_enabled(enabled: bool) -> None:
        (kms.enable_key if enabled else kms.disable_key)(KeyId=stack["key_arn"])

    print(f"sending traffic for {options.seconds} s")
    tokens = [_token(options.stack, f"dashboard-{time.time_ns()}-{number}@example.com") for number in range(_PEOPLE)]
    began = time.time()
    Traffic(stack["api_url"], tokens, set_key_enabled).run(options.seconds)
    time.sleep(6)  # alarms look again every few seconds

    period = max(1, math.ceil((time.time() - began) / _PERIODS))
    # The embedded AWS begins its periods at multiples of their length, as CloudWatch does.
    end = (int(time.time()) // period + 1) * period
    environment = stack["environment"]
    events = log_events(logs, "/aws/", since=began)
    body = json.loads(cloudwatch.get_dashboard(DashboardName=f"mfa-{environment}")["DashboardBody"])
    for problem in problems(body):
        print(f"CloudWatch would not take this: {problem}", file=sys.stderr)
    window = Window(end=end, period=period, length=math.ceil((end - began) / period))
    metrics = CloudWatchMetrics(cloudwatch, events)
    shown = {statistic for widget in body["widgets"] for statistic in statistics_shown(widget["properties"])}
    for span in (window, window.whole):
        metrics.read(shown, span)
    picture = Picture(
        body=body,
        metrics=metrics,
        events=events,
        states=alarm_states(cloudwatch, f"mfa-{environment}-"),
        window=window,
    )
    picture.save(options.output)
    print(f"drew {options.output}: datapoints of {period} s, {len(body['widgets'])} widgets")
    return 0


def _token(stack: Path, user: str) -> str:
    """Return an access token of a new user."""
    port = json.loads(stack.read_text())["endpoint_url"].rpartition(":")[2]
    command = [sys.executable, "-m", "local", "token", "--port", port, "--user", user]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 (our own)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.cloudwatch.preview", description=__doc__)
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"), help="state file of the running stack")
    parser.add_argument("--output", type=Path, default=Path("docs/dashboard.png"), help="where to write the picture")
    parser.add_argument("--seconds", type=int, default=150, help="how long to send traffic")
    return parser


if __name__ == "__main__":
    sys.exit(main())
