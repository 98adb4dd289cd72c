"""The metrics that alarms and dashboards read: whether anything publishes them under exactly these dimensions.

Some are published only when something fails, which no check causes. For those, another metric must exist with the same
namespace and dimensions, and the detail of the result names the alarms that wait for them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.contract import ENDPOINTS, METRICS_NAMESPACE, Metric
from infra.monitoring.rules.model import alarm_name
from infra.outputs import dead_letter_queue_name
from local.cloudwatch.availability import available_locally
from local.cloudwatch.dashboard_body import metrics_shown
from tests.acceptance.deployment import Deployment, dimensions_of
from tests.acceptance.model import NotAnswerableError, require

#: What the journey causes of the service's own metrics. It publishes the others when something fails or is refused.
CAUSED: Final = frozenset(
    {
        *(name for each in ENDPOINTS for name in (each.metrics.attempts, each.metrics.successes)),
        *(Metric.INVALID_CODES, Metric.BACKUP_CODES_USED, Metric.SECRET_DECRYPTIONS, Metric.SECURITY_EVENTS_PUBLISHED),
    }
)
#: AWS's metrics that are published only when something fails or is refused.
RARE: Final[Mapping[str, frozenset[str]]] = {
    "AWS/Lambda": frozenset({"Throttles"}),
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    "AWS/DynamoDB": frozenset({"ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors", "ThrottledRequests"}),
}


def _is_rare(namespace: str, name: str) -> bool:
    return name not in CAUSED if namespace == METRICS_NAMESPACE else name in RARE.get(namespace, ())


@dataclass(frozen=True)
class Read:
    """A metric that an alarm or a dashboard reads."""

    name: str
    dimensions: tuple[tuple[str, str], ...]


def metrics_of(alarm: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the metrics that an alarm reads, as CloudWatch describes them; a composite alarm reads none."""
    if "MetricName" in alarm:
        yield dict(alarm)
    for query in alarm.get("Metrics", ()):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def published(namespace: str) -> Callable[[Deployment], str]:
    """Return the check of the metrics of one namespace."""

    def check(deployment: Deployment) -> str:
        """Cause the metrics with the journey of the smoke test, then look for each in the list of metrics."""
        reads = _read(deployment, namespace)
        elsewhere = {read.name for read in reads if deployment.emulated and not available_locally(namespace, read.name)}
        reads = {read: who for read, who in reads.items() if read.name not in elsewhere}
        if not reads:
            raise NotAnswerableError(f"no alarm and no dashboard reads a metric of {namespace}")
        _cause(deployment, namespace)

        def missing() -> set[Read]:
            known = _known(deployment, namespace)
            dimensions = {each.dimensions for each in known}
            return {
                read
                for read in reads
                if read not in known and not (_is_rare(namespace, read.name) and read.dimensions in dimensions)
            }

        deployment.until(lambda: not missing(), seconds=deployment.patience.metrics)
        absent = missing()
        require(not absent, "nothing publishes " + "; ".join(sorted(_described(read, reads[read]) for read in absent)))
        unseen = reads.keys() - _known(deployment, namespace)
        detail = f"{len(reads) - len(unseen)} published"
        if elsewhere:
            detail += f"; not answerable here: {', '.join(sorted(elsewhere))}"
        if not unseen:
            return detail
        prefix = alarm_name(deployment.environment, "")
        waiting = {who.removeprefix(prefix) for read in unseen for who in reads[read] if who.startswith(prefix)}
        names = ", ".join(sorted(read.name for read in unseen))
        detail += f"; nothing has caused {names} yet"
        return f"{detail}; the alarms {', '.join(sorted(waiting))} wait for them" if waiting else detail

    return check


def _read(deployment: Deployment, namespace: str) -> dict[Read, set[str]]:
    """Return the metrics of a namespace that are read, with the names of alarms and dashboards that do."""
    found: dict[Read, set[str]] = {}
    for name, alarm in deployment.alarms().items():
        for metric in metrics_of(alarm):
            if metric["Namespace"] == namespace:
                found.setdefault(_read_as(metric), set()).add(name)
    cloudwatch = deployment.client("cloudwatch")
    prefix = f"mfa-{deployment.environment}"
    for entry in cloudwatch.list_dashboards(DashboardNamePrefix=prefix)["DashboardEntries"]:
        body = json.loads(cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])
        for shown, metric_name, dimensions in metrics_shown(body):
            if shown == namespace:
                found.setdefault(Read(metric_name, dimensions), set()).add(f"dashboard {entry['DashboardName']}")
    return found


def _read_as(metric: Mapping[str, Any]) -> Read:
    return Read(metric["MetricName"], tuple(sorted(dimensions_of(metric).items())))


def _known(deployment: Deployment, namespace: str) -> set[Read]:
    pages = deployment.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace=namespace)
    return {_read_as(metric) for page in pages for metric in page["Metrics"]}


def _described(read: Read, who: set[str]) -> str:
    dimensions = ", ".join(f"{name}={value}" for name, value in read.dimensions)
    return f"{read.name} ({dimensions}), read by {', '.join(sorted(who))}"


def _cause(deployment: Deployment, namespace: str) -> None:
    """Cause the metrics of a namespace; an SQS queue publishes some only after someone asks for its attributes."""
    if namespace == "AWS/SQS":
        sqs = deployment.client("sqs")
        url = sqs.get_queue_url(QueueName=dead_letter_queue_name(deployment.environment))["QueueUrl"]
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    deployment.cause_traffic()
