"""Alarms of the platform: gateway, functions, table, and the delivery of security events."""

from collections.abc import Iterator

from functions.shared import contract
from functions.shared.contract import Metric
from infra.config.monitoring import MonitoringConfig, Thresholds
from infra.monitoring.resources import TABLE_OPERATIONS, WatchedResources
from infra.monitoring.rules.model import AlarmRule, ratio, total, zero_filled


def platform_rules(watched: WatchedResources, config: MonitoringConfig) -> Iterator[AlarmRule]:
    """Yield the alarms that any API on these services would have."""
    yield from _gateway(watched, config.thresholds)
    if config.quiet_hours is not None:
        yield _silence(watched, config.quiet_hours)
    yield from _functions(watched, config.thresholds)
    yield from _table(watched, config.thresholds)
    if contract.SECURITY_EVENTS_FUNCTION in watched.functions:
        yield from _security_events(watched, config.thresholds)


def _gateway(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    requests, minimum = watched.gateway("Count"), thresholds.ratio_minimum_requests
    yield AlarmRule(
        key="api-5xx-ratio",
        happened="The gateway returns 5xx, from a function or because a function did not respond.",
        response="If it began with a deployment, roll back; if not, see which route and function fails.",
        series={"requests": requests, "failed": watched.gateway("5XXError")},
        expression=ratio(zero_filled("failed"), zero_filled("requests"), minimum),
        threshold=thresholds.api_5xx_percent,
        pages=True,
    )
    yield AlarmRule(
        key="api-4xx-ratio",
        happened="Most requests are refused with 4xx: a broken client, a broken issuer, or an attack.",
        response="See which of 400, 401, 409 and 429 it is, in the dashboard's outcomes and the access log.",
        series={"requests": requests, "refused": watched.gateway("4XXError")},
        expression=ratio(zero_filled("refused"), zero_filled("requests"), minimum),
        threshold=thresholds.api_4xx_percent,
        # This service refuses many requests on an ordinary day; only a majority for a long time is unusual.
        datapoints=3,
        periods=3,
    )
    yield AlarmRule(
        key="api-latency-p99",
        happened="The slowest responses take so long that users give up.",
        response="See whether cold starts, KMS or DynamoDB take the time; a deployment may have broken SnapStart.",
        series={"latency": watched.gateway("Latency", "p99")},
        threshold=thresholds.api_latency_p99_ms,
        # In five quiet minutes a single cold start is the p99.
        datapoints=3,
        periods=3,
    )


def _silence(watched: WatchedResources, hours: int) -> AlarmRule:
    return AlarmRule(
        key="no-traffic",
        happened=f"No request reached the API for {hours} h: name, certificate, firewall or client is broken.",
        response="Call the public URL from outside; then check DNS, the certificate, the domain mapping and the WAF.",
        series={"requests": watched.gateway("Count")},
        threshold=1,
        below=True,
        period_minutes=60,
        datapoints=hours,
        periods=hours,
        missing_breaches=True,  # without requests the gateway publishes nothing, and that is what this detects
        pages=True,
    )


def _functions(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    errors = {folder: watched.function(folder, "Errors") for folder in watched.functions}
    throttles = {folder: watched.function(folder, "Throttles") for folder in watched.functions}
    durations = {folder: watched.function(folder, "Duration", "Maximum") for folder in watched.functions}
    shares = [f"100*{folder}/{1000 * watched.timeout_seconds}" for folder in watched.functions]
    yield AlarmRule(
        key="function-errors",
        happened="A function crashed, ran out of memory or timed out; handlers turn every other error into a response.",
        response="Find it under errors by function, then read its last log lines; roll back if it is new.",
        series=errors,
        expression=total(errors),
        threshold=thresholds.function_errors,
    )
    yield AlarmRule(
        key="function-throttles",
        happened="Lambda refused invocations because no concurrency was left: callers got 429 or 5xx.",
        response="Compare claimed concurrency with the account's quota; find what claims it, or raise the quota.",
        series=throttles,
        expression=total(throttles),
        threshold=thresholds.function_throttles,
    )
    yield AlarmRule(
        key="function-duration",
        happened="An invocation came close to its function's timeout; the next ones may be cut off.",
        response="See which function's maximum rose, then whether KMS, DynamoDB or the issuer's keys are slow.",
        series=durations,
        expression=f"MAX([{', '.join(shares)}])",
        threshold=thresholds.duration_percent_of_timeout,
    )
    yield AlarmRule(
        key="account-concurrency",
        happened="All Lambda functions of this account and region together come close to their quota.",
        response="Find which function claims it, this service's or another's; raise the quota or reserve a share.",
        series={"claimed": watched.account_concurrency()},
        threshold=thresholds.concurrency,
        pages=True,
    )


def _table(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    throttles = {"reads": watched.table("ReadThrottleEvents"), "writes": watched.table("WriteThrottleEvents")}
    failures = {operation.lower(): watched.table("SystemErrors", operation=operation) for operation in TABLE_OPERATIONS}
    yield AlarmRule(
        key="table-throttles",
        happened="DynamoDB refused requests because capacity ran out: a sudden peak, a hot user, or a set maximum.",
        response="On-demand tables adapt within minutes; if it lasts, look for one hot key and for table limits.",
        series=throttles,
        expression=total(throttles),
        threshold=thresholds.table_throttles,
    )
    yield AlarmRule(
        key="table-system-errors",
        happened="DynamoDB had internal errors; the requests were valid.",
        response="Check the AWS health dashboard for DynamoDB in this region; the service fails closed meanwhile.",
        series=failures,
        expression=total(failures),
        threshold=thresholds.table_system_errors,
    )


def _security_events(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    yield AlarmRule(
        key="security-event-failures",
        happened="Security events could not be published; they are retried, but users are not notified yet.",
        response="Check EventBridge's status and the function's permission and bus name.",
        series={"failures": watched.counted(Metric.SECURITY_EVENT_FAILURES)},
        threshold=thresholds.event_failures,
    )
    yield AlarmRule(
        key="security-events-delay",
        happened="A change of the table has waited long to become a security event: the stream is held up.",
        response="Look at the errors of security-events; a record that keeps failing blocks its shard.",
        series={"age": watched.function(contract.SECURITY_EVENTS_FUNCTION, "IteratorAge", "Maximum")},
        threshold=thresholds.event_delay_minutes * 60_000,
    )
    if (waiting := watched.dead_letters()) is not None:
        yield AlarmRule(
            key="security-events-dead-letter",
            happened="Security events were not published and are in the dead-letter queue: users were not notified.",
            response="Read a message, fix the cause, then read those records from the stream (kept for 24 hours).",
            series={"waiting": waiting},
            threshold=1,
        )
