"""Alarms of what the service stands on: gateway, functions, table, and the delivery of security events."""

from collections.abc import Iterator

from functions.shared import contract
from functions.shared.contract import Metric
from infra.config.monitoring import MonitoringConfig, Thresholds
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.model import AlarmRule, Missing, Series, Urgency, ratio, total, zero_filled
from infra.monitoring.rules.series import account_concurrency, counted, dead_letters, function, gateway, table

#: What the functions do on the table; DynamoDB counts its own failures by operation.
TABLE_OPERATIONS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem")


def platform_rules(environment: str, resources: WatchedResources, config: MonitoringConfig) -> Iterator[AlarmRule]:
    """Yield the alarms that would hold for any API on these services."""
    yield from _gateway(resources, config.thresholds)
    if config.quiet_hours is not None:
        yield _silence(resources, config.quiet_hours)
    yield from _functions(environment, resources, config.thresholds)
    yield from _table(resources, config.thresholds)
    if resources.has(contract.SECURITY_EVENTS_FUNCTION):
        yield from _security_events(environment, resources, config.thresholds)


def _gateway(resources: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    requests, minimum = gateway("Count", resources), thresholds.ratio_minimum_requests
    yield AlarmRule(
        key="api-5xx-ratio",
        happened="The gateway answers 5xx, whether a function said so or never got to speak.",
        response="If it began with a deployment, roll back; else see which route and function fails.",
        series={"requests": requests, "failed": gateway("5XXError", resources)},
        expression=ratio(zero_filled("failed"), zero_filled("requests"), minimum),
        threshold=thresholds.api_5xx_percent,
        missing=Missing.NOT_BREACHING,  # no requests, no ratio
        urgency=Urgency.PAGE,
    )
    yield AlarmRule(
        key="api-4xx-ratio",
        happened="Most requests are refused with 4xx: a broken client, a broken issuer, or an attack.",
        response="See which of 400, 401, 409 and 429 it is, in the dashboard's outcomes and the access log.",
        series={"requests": requests, "refused": gateway("4XXError", resources)},
        expression=ratio(zero_filled("refused"), zero_filled("requests"), minimum),
        threshold=thresholds.api_4xx_percent,
        datapoints=3,
        periods=3,  # refusals are the service's daily bread; only their persistence is news
        missing=Missing.NOT_BREACHING,  # no requests, no ratio
    )
    yield AlarmRule(
        key="api-latency-p99",
        happened="The slowest answers take so long that people give up.",
        response="See whether cold starts, KMS or DynamoDB take the time; a deployment may have broken SnapStart.",
        series={"latency": gateway("Latency", resources, "p99")},
        threshold=thresholds.api_latency_p99_ms,
        datapoints=3,
        periods=3,  # one cold start in a quiet five minutes is the p99, and no news
        missing=Missing.NOT_BREACHING,  # no requests, no latency
    )


def _silence(resources: WatchedResources, hours: int) -> AlarmRule:
    return AlarmRule(
        key="no-traffic",
        happened=f"Not one request reached the API for {hours} h: name, certificate, firewall or client is broken.",
        response="Call the public URL from outside; then check DNS, the certificate, the domain mapping and the WAF.",
        series={"requests": gateway("Count", resources)},
        threshold=1,
        below=True,
        period_minutes=60,
        datapoints=hours,
        periods=hours,
        missing=Missing.BREACHING,  # the gateway publishes nothing while nobody calls: that is the very thing
        urgency=Urgency.PAGE,
    )


def _functions(environment: str, resources: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    def each(name: str, statistic: str = "Sum") -> dict[str, Series]:
        return {watched.folder: function(name, watched, environment, statistic) for watched in resources.functions}

    errors, throttles, durations = each("Errors"), each("Throttles"), each("Duration", "Maximum")
    shares = [f"100*{watched.folder}/{1000 * watched.timeout_seconds}" for watched in resources.functions]
    yield AlarmRule(
        key="function-errors",
        happened="A function crashed, ran out of memory or time: handlers answer everything else themselves.",
        response="Find it under errors by function, then its last log lines before the end; roll back if it is new.",
        series=errors,
        expression=total(errors),
        threshold=thresholds.function_errors,
        missing=Missing.NOT_BREACHING,  # no invocation, no crash
    )
    yield AlarmRule(
        key="function-throttles",
        happened="Lambda refused invocations for want of concurrency: callers saw 429 or 5xx.",
        response="Compare claimed concurrency with the account's quota; find what claims it, or raise the quota.",
        series=throttles,
        expression=total(throttles),
        threshold=thresholds.function_throttles,
        missing=Missing.NOT_BREACHING,  # no invocation, none refused
    )
    yield AlarmRule(
        key="function-duration",
        happened="An invocation came close to its function's time-out; the next ones will be cut off.",
        response="See whose maximum rose, then whether KMS, DynamoDB or the issuer's keys answer slowly.",
        series=durations,
        expression=f"MAX([{', '.join(shares)}])",
        threshold=thresholds.duration_percent_of_timeout,
        missing=Missing.NOT_BREACHING,  # no invocation took no time
    )
    yield AlarmRule(
        key="account-concurrency",
        happened="All Lambda functions of this account and region together come close to their quota.",
        response="Find which function claims it, this service's or another's; raise the quota or reserve a share.",
        series={"claimed": account_concurrency()},
        threshold=thresholds.concurrency,
        missing=Missing.NOT_BREACHING,  # published while something runs
        urgency=Urgency.PAGE,
    )


def _table(resources: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    throttles = {
        "reads": table("ReadThrottleEvents", resources),
        "writes": table("WriteThrottleEvents", resources),
    }
    failures = {
        operation.lower(): table("SystemErrors", resources, operation=operation) for operation in TABLE_OPERATIONS
    }
    yield AlarmRule(
        key="table-throttles",
        happened="DynamoDB refused requests for want of capacity: a sudden peak, a hot user, or a set maximum.",
        response="On-demand tables adapt within minutes; if it lasts, look for one hot key and for table limits.",
        series=throttles,
        expression=total(throttles),
        threshold=thresholds.table_throttles,
        missing=Missing.NOT_BREACHING,  # published on throttling alone
    )
    yield AlarmRule(
        key="table-system-errors",
        happened="DynamoDB itself failed; our requests were right.",
        response="Check the AWS health dashboard for DynamoDB in this region; the service fails closed meanwhile.",
        series=failures,
        expression=total(failures),
        threshold=thresholds.table_system_errors,
        missing=Missing.NOT_BREACHING,  # published on failure alone
    )


def _security_events(environment: str, resources: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    publisher = next(each for each in resources.functions if each.folder == contract.SECURITY_EVENTS_FUNCTION)
    yield AlarmRule(
        key="security-event-failures",
        happened="Security events could not be published; they are tried again, but users are not told yet.",
        response="Check EventBridge's status and the function's permission and bus name.",
        series={"failures": counted(Metric.SECURITY_EVENT_FAILURES, environment)},
        threshold=thresholds.event_failures,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no failure
    )
    yield AlarmRule(
        key="security-events-delay",
        happened="The oldest change of the table waits long to become a security event: the stream is held up.",
        response="Look at the errors of security-events; a record that fails again and again holds its shard.",
        series={"age": function("IteratorAge", publisher, environment, "Maximum")},
        threshold=thresholds.event_delay_minutes * 60_000,
        missing=Missing.NOT_BREACHING,  # published when records are read: none waited
    )
    if resources.dead_letter_queue_name is not None:
        yield AlarmRule(
            key="security-events-dead-letter",
            happened="Security events were given up and lie in the dead-letter queue: these users were never told.",
            response="Read a message, mend the cause, then read those records from the stream (kept for 24 hours).",
            series={"waiting": dead_letters(resources.dead_letter_queue_name)},
            threshold=1,
            missing=Missing.NOT_BREACHING,  # SQS stops publishing for a queue that lies idle, hence empty
        )
