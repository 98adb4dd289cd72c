"""The bills of a month, for ``docs/deploy.md``: of ``prod`` from measured calls, bytes and CPU time, and of ``dev``."""

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from functions.shared.contract import AUTHORIZER_FUNCTION, ENDPOINTS, Metric
from infra.config import ALL, ENVIRONMENTS, PROD, MonitoringConfig
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules import alarm_rules
from infra.paths import REPOSITORY
from tools.bench import prices
from tools.bench.costs import ACCESS_LOG_BYTES, duration_ms, log_bytes
from tools.bench.results import Results

_TEMPLATE: Final = REPOSITORY / "tests" / "infra" / "snapshots" / "prod" / "mfa-prod-service.json"

#: Estimates for one user and month; replace them by the figures of a dashboard.
LOGINS: Final = 20
STATUS_READS: Final = 5
ENROLMENTS: Final = 1 / 20
PREFLIGHTS: Final = 10
#: Verifications that cause a security event.
EVENTS: Final = 0.01
#: New execution environments a month, functions and authorizer, by number of users.
RESTORES: Final = {10_000: 15_000, 10_000_000: 300_000}
#: Batches of the stream, for each write; a busy stream fills them.
BATCHES: Final = {10_000: 1.0, 10_000_000: 0.05}
#: The key of the secrets and the key of the topics; the table has a key that AWS owns.
KEYS: Final = 2
DASHBOARDS: Final = 2

_MONTH_SECONDS: Final = 365 * 24 * 3600 / 12
_STORED: Final = 0.15  # compressed
_MONTHS_STORED: Final = 12


class Item(NamedTuple):
    """One line of the bill: what is charged, its price as text, how much was used as text, and dollars a month."""

    name: str
    price: str
    used: str
    dollars: float


def _metrics_of_rules(monitoring: MonitoringConfig) -> int:
    """Return the number of metrics that the alarms read, without those of releases."""
    watched = WatchedResources(
        environment=PROD,
        region="us-east-1",
        api_name="api",
        access_log_name="log",
        functions={name: name for name in _deployed()},
        timeout_seconds=ENVIRONMENTS[PROD].timeout_seconds,
        table_name="table",
        secret_key_arn="key",  # noqa: S106 - a key of KMS
        dead_letter_queue_name="queue",
    )
    return sum(len(rule.series) for rule in alarm_rules(watched, monitoring))


def at_rest(monitoring: MonitoringConfig) -> Iterator[Item]:
    """Yield the lines of the bill of an idle ``dev``: it keeps no snapshot and publishes no metric."""
    everything = monitoring.coverage == ALL
    for name, count, price in (
        ("KMS keys", KEYS if monitoring.notifies else KEYS - 1, prices.KMS_KEY_MONTH),
        ("Metrics that alarms read", _metrics_of_rules(monitoring), prices.ALARM_METRIC_MONTH),
        ("Composite alarm", 1 if everything else 0, prices.COMPOSITE_ALARM_MONTH),
        ("Dashboards", DASHBOARDS if everything else 1, prices.DASHBOARD_MONTH),
    ):
        yield Item(name, f"${price:.2f} each", str(count), count * price)


def items(results: Results, users: int) -> Iterator[Item]:
    """Yield the lines of the bill for a number of users."""
    config = ENVIRONMENTS[PROD]
    verify, setup, status = (results.requests[name] for name in ("verify", "setup", "status"))
    authorizer = results.requests["authorizer"]
    reached = users * (LOGINS + STATUS_READS + 2 * ENROLMENTS)
    called = reached + users * PREFLIGHTS
    writes = users * (LOGINS + 2 * ENROLMENTS)
    sealed = writes  # one call of KMS with each
    reads = reached - users * ENROLMENTS  # setup reads nothing
    batches = writes * BATCHES[users]

    first = min(called, prices.API_REQUESTS_OF_FIRST_PRICE)
    above = called - first
    yield Item(
        "API Gateway",
        "$3.50 per million, $2.80 above 333 million",
        _million(called),
        first * prices.API_REQUEST + above * prices.API_REQUEST_ABOVE,
    )
    invocations = 2 * reached + batches
    yield Item(
        "Lambda requests: function, authorizer, batches of the stream",
        "$0.20 per million",
        _million(invocations),
        invocations * prices.LAMBDA_REQUEST,
    )
    gib_seconds = sum(
        number
        * config.memory_of(function)
        / 1024
        * duration_ms(cost.warm.median, calls, config.memory_of(function))
        / 1000
        for function, cost, calls, number in (
            ("verify_mfa", verify, len(verify.calls), users * LOGINS),
            ("mfa_status", status, len(status.calls), users * STATUS_READS),
            ("setup_mfa", setup, len(setup.calls), users * 2 * ENROLMENTS),
            (AUTHORIZER_FUNCTION, authorizer, 0, reached),
        )
    )
    yield Item(
        "Lambda time, arm64",
        f"${prices.LAMBDA_GB_SECOND:.10f} per GB-s",
        f"{gib_seconds:,.0f} GB-s",
        gib_seconds * prices.LAMBDA_GB_SECOND,
    )
    cached = sum(config.memory_of(name) for name in _deployed() if config.snap_start_of(name)) / 1024
    yield Item(
        "SnapStart, cached snapshots",
        f"${prices.SNAPSHOT_GB_SECOND:.10f} per GB-s",
        f"{cached:.2f} GB, all month",
        cached * _MONTH_SECONDS * prices.SNAPSHOT_GB_SECOND,
    )
    mean = config.memory_mb / 1024
    yield Item(
        f"SnapStart, restores of {mean:g} GB",
        f"${prices.SNAPSHOT_RESTORE_GB} per GB",
        f"{RESTORES[users]:,}",
        RESTORES[users] * mean * prices.SNAPSHOT_RESTORE_GB,
    )
    yield Item(
        "DynamoDB reads: 1 per request, consistent",
        "$0.125 per million",
        _million(reads),
        reads * prices.DYNAMODB_READ_UNIT,
    )
    units = math.ceil(results.item_bytes / 1024)
    yield Item(
        f"DynamoDB writes: {units} units each, for an item of {results.item_bytes:,} bytes",
        "$0.625 per million",
        _million(writes * units),
        writes * units * prices.DYNAMODB_WRITE_UNIT,
    )
    backup = users * results.item_bytes / 1e9
    yield Item(
        "Backups (table storage stays within 25 GB)",
        "$0.20 per GB",
        f"{backup:.3g} GB",
        backup * prices.DYNAMODB_BACKUP_GB_MONTH,
    )
    yield Item(
        "KMS: two keys; one call per verification and enrolment step",
        "$1 each; $0.03 per 10,000",
        _million(sealed),
        KEYS * prices.KMS_KEY_MONTH + sealed * prices.KMS_CALL,
    )
    logged = reached * (log_bytes(verify.log_bytes, authorizer.log_bytes) + ACCESS_LOG_BYTES) / 1e9
    yield Item("Logs, ingestion", "$0.50 per GB", f"{logged:,.2f} GB", logged * prices.LOGS_GB)
    yield Item("Logs, data protection", "$0.12 per GB", f"{logged:,.2f} GB", logged * prices.LOGS_PROTECTED_GB)
    stored = logged * _STORED * _MONTHS_STORED
    yield Item(
        "Logs, storage for a year, compressed to 15 %",
        "$0.03 per GB",
        f"{stored:,.2f} GB",
        stored * prices.LOGS_STORED_GB_MONTH,
    )
    # Each is charged for in the hours in which it is published.
    own = len({name for endpoint in ENDPOINTS for name in endpoint.metrics.names()}) + len(Metric)
    yield Item("The service's own metrics", "$0.30 each", str(own), own * prices.METRIC_MONTH)
    of_releases = len(_resources("AWS::CloudWatch::Alarm"))
    read = _metrics_of_rules(config.monitoring) + of_releases
    yield Item(
        "Metrics that alarms read; one composite alarm",
        "$0.10; $0.50",
        str(read),
        read * prices.ALARM_METRIC_MONTH + prices.COMPOSITE_ALARM_MONTH,
    )
    yield Item("Dashboards", "$3 each", str(DASHBOARDS), DASHBOARDS * prices.DASHBOARD_MONTH)
    (firewall,) = _resources("AWS::WAFv2::WebACL")
    rules = len(firewall["Rules"])
    fixed = prices.WAF_ACL_MONTH + rules * prices.WAF_RULE_MONTH
    yield Item(
        f"WAF: ACL and {rules} rules; requests",
        f"${fixed:g}; $0.60 per million",
        _million(called),
        fixed + called * prices.WAF_REQUEST,
    )
    events = users * LOGINS * EVENTS
    yield Item("Security events, 1 % of verifications", "$1 per million", _million(events), events * prices.EVENT)


def total(results: Results, users: int) -> float:
    """Return the whole bill in dollars a month: the sum of its items in whole cents, as the page shows them."""
    return sum(round(item.dollars, 2) for item in items(results, users))


def _deployed() -> list[str]:
    """Return the functions of ``prod`` by default, which has no proof."""
    handlers = [each["Handler"] for each in _resources("AWS::Lambda::Function")]
    return [handler.split(".")[1] for handler in handlers if handler.startswith("functions.")]


def _million(number: float) -> str:
    return f"{number / 1e6:,.3g} M" if number < 1e9 else f"{number / 1e6:,.0f} M"


def _resources(kind: str) -> list[dict[str, Any]]:
    """Return the properties of the resources of a type in the service stack of ``prod``."""
    resources = json.loads(_TEMPLATE.read_text())["Resources"].values()
    return [each["Properties"] for each in resources if each["Type"] == kind]
