"""What is on the dashboard, top to bottom: is it working, is it attacked, what is slow or failing, what does it cost.

A new route appears by itself. A new metric of the functions is one more line here; a test holds the two together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functions.shared import contract
from functions.shared.contract import Endpoint, Metric
from infra.config.monitoring import MonitoringConfig
from infra.monitoring import queries
from infra.monitoring.dashboard.panels import (
    AlarmTiles,
    Colour,
    Graph,
    Line,
    LogTable,
    Numbers,
    Row,
    Text,
    counter,
    line,
)
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules import endpoints as endpoint_rules
from infra.monitoring.rules.model import Urgency, total, zero_filled
from infra.monitoring.rules.platform import TABLE_OPERATIONS
from infra.monitoring.rules.security import DECRYPT, GENERATE_DATA_KEY
from infra.monitoring.rules.series import (
    account_concurrency,
    counted,
    dead_letters,
    function,
    gateway,
    secret_key_uses,
    table,
)

#: Colours of the outcomes of a route, in the order of `contract.EndpointMetrics`.
_OUTCOMES = (
    ("attempts", Colour.NEUTRAL),
    ("successes", Colour.GOOD),
    ("rejections", Colour.REFUSED),
    ("errors", Colour.FAILED),
    ("system_errors", Colour.BROKEN),
    ("unauthorized", Colour.SUSPICIOUS),
)
_PER_ROW = 3


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The dashboard of one environment.

    Attributes
    ----------
    environment : str
        Whose metrics it shows.
    resources : WatchedResources
        The parts of that environment.
    config : MonitoringConfig
        Where the runbook is, and the thresholds that graphs show.
    endpoints : sequence of Endpoint
        The routes.
    """

    environment: str
    resources: WatchedResources
    config: MonitoringConfig
    endpoints: Sequence[Endpoint] = contract.ENDPOINTS

    def rows(self) -> Iterator[Row]:
        """Yield the dashboard's rows, from the top."""
        yield (self._title(),)
        yield from self._is_it_working()
        yield from self._is_it_attacked()
        yield from self._what_is_slow_or_failing()
        yield from self._what_does_it_cost()
        yield from self._latest_failures()

    def _title(self) -> Text:
        return Text(
            height=2,
            markdown=f"# MFA service · {self.environment}\n"
            f"Top to bottom: is it working · is it attacked · what is slow or failing · what does it cost. "
            f"Every alarm has a heading of the same name in the [runbook]({self.config.runbook_url}).",
        )

    # -- is it working ---------------------------------------------------------------------------------------

    def _is_it_working(self) -> Iterator[Row]:
        yield (
            self._heading(
                "Is it working?",
                "Normal: every alarm is OK; setup succeeds above 90 % (what is left are 409s); logins above 80 %, as "
                "people mistype; no 5xx. Red on the left wakes somebody, red on the right can wait for the morning.",
                "page",
            ),
        )
        yield (
            AlarmTiles(title="These page", urgency=Urgency.PAGE, width=8, height=7),
            AlarmTiles(title="These tell", urgency=Urgency.NOTIFY, width=16, height=7),
        )
        yield (Numbers(title="Latest five minutes", lines=tuple(self._headline())),)
        setup = contract.SETUP
        yield (
            Graph(title=f"Setup: {setup.method} {setup.path}", lines=self._outcomes(setup), width=12, height=7),
            Graph(
                title="Answered with 200, percent of attempts",
                lines=tuple(self._success(endpoint) for endpoint in self.endpoints),
                unit="percent",
                width=12,
                height=7,
            ),
        )
        others = [
            Graph(title=f"{endpoint.method} {endpoint.path}", lines=self._outcomes(endpoint))
            for endpoint in self.endpoints
            if endpoint is not setup
        ]
        yield from _wrapped(others)

    def _headline(self) -> Iterator[Line]:
        requests = gateway("Count", self.resources)
        yield Line(label="requests", series={"requests": requests}, colour=Colour.FIRST)
        for endpoint in self.endpoints:
            if endpoint in {contract.SETUP, contract.VERIFY}:
                yield self._success(endpoint, label=f"{endpoint_rules.slug(endpoint)} succeeded, %")
        yield Line(
            label="5xx, %",
            series={"requests": requests, "failed": gateway("5XXError", self.resources)},
            expression=f"IF({zero_filled('requests')} > 0, 100*{zero_filled('failed')}/requests, 0)",
            colour=Colour.BROKEN,
        )
        yield line("p99 latency, ms", gateway("Latency", self.resources, "p99"), Colour.SECOND)
        wrong = counted(Metric.INVALID_CODES, self.environment)
        yield Line(label="wrong codes", series={"wrong": wrong}, expression="FILL(wrong,0)", colour=Colour.SUSPICIOUS)

    def _outcomes(self, endpoint: Endpoint) -> tuple[Line, ...]:
        names = {outcome: getattr(endpoint.metrics, outcome) for outcome, _ in _OUTCOMES}
        return tuple(counter(counted(names[outcome], self.environment), colour) for outcome, colour in _OUTCOMES)

    def _success(self, endpoint: Endpoint, label: str | None = None) -> Line:
        attempts, successes = f"attempts_{endpoint.function}", f"successes_{endpoint.function}"
        return Line(
            label=label or endpoint_rules.slug(endpoint),
            series={
                attempts: counted(endpoint.metrics.attempts, self.environment),
                successes: counted(endpoint.metrics.successes, self.environment),
            },
            expression=f"100*{zero_filled(successes)}/{attempts}",
            colour=Colour.GOOD if label else None,
        )

    # -- is it attacked --------------------------------------------------------------------------------------

    def _is_it_attacked(self) -> Iterator[Row]:
        thresholds = self.config.thresholds
        yield (
            self._heading(
                "Is someone attacking it?",
                "Normal: a trickle of expired tokens and mistyped codes that follows the traffic; replays, lock-outs "
                "and races close to none; the key decrypts exactly as often as the functions asked it to.",
                "invalid-codes-surge",
            ),
        )
        yield (
            Graph(
                title="No valid token (401), by route",
                lines=tuple(counter(counted(each.metrics.unauthorized, self.environment)) for each in self.endpoints),
                threshold=thresholds.setup_unauthorized,
            ),
            Graph(
                title="Wrong and replayed codes",
                lines=(
                    self._counted(Metric.INVALID_CODES, Colour.SUSPICIOUS),
                    self._counted(Metric.REPLAYS_REJECTED, Colour.BROKEN),
                ),
                threshold=thresholds.invalid_codes,
            ),
            Graph(
                title="Lock-outs",
                lines=(
                    self._counted(Metric.LOCKOUTS, Colour.BROKEN),
                    self._counted(Metric.LOCKED_ATTEMPTS, Colour.REFUSED),
                ),
                threshold=thresholds.lockouts,
            ),
        )
        yield (
            Graph(
                title="Backup codes used",
                lines=(self._counted(Metric.BACKUP_CODES_USED, Colour.REFUSED),),
                threshold=thresholds.backup_codes_used,
            ),
            Graph(
                title="Lost races (409) and missing scopes (403)",
                lines=(
                    self._counted(Metric.CONFLICTS, Colour.SUSPICIOUS),
                    self._counted(Metric.INSUFFICIENT_SCOPE, Colour.REFUSED),
                ),
                threshold=min(thresholds.conflicts, thresholds.insufficient_scope),
            ),
            Graph(
                title="Who decrypts: the key's count and ours",
                lines=(
                    line("Decrypt, by anyone", secret_key_uses(DECRYPT, self.resources), Colour.BROKEN),
                    self._counted(Metric.SECRET_DECRYPTIONS, Colour.GOOD),
                ),
            ),
        )

    # -- what is slow or failing -----------------------------------------------------------------------------

    def _what_is_slow_or_failing(self) -> Iterator[Row]:
        thresholds = self.config.thresholds
        yield (
            self._heading(
                "What is slow or failing?",
                "Normal: p50 below 100 ms, p99 below 1 s (cold starts); no function errors or throttles; DynamoDB "
                "answers in single milliseconds. KMS publishes successful calls alone, neither latency nor throttles.",
                "api-latency-p99",
            ),
        )
        yield (
            Graph(
                title="Whole answer, milliseconds",
                lines=tuple(
                    line(statistic, gateway("Latency", self.resources, statistic), colour)
                    for statistic, colour in (
                        ("p50", Colour.GOOD),
                        ("p90", Colour.REFUSED),
                        ("p99", Colour.FAILED),
                    )
                ),
                unit="ms",
                threshold=thresholds.api_latency_p99_ms,
            ),
            Graph(
                title="Gateway: 4xx and 5xx",
                lines=(
                    line("Count", gateway("Count", self.resources), Colour.NEUTRAL),
                    line("4XXError", gateway("4XXError", self.resources), Colour.REFUSED),
                    line("5XXError", gateway("5XXError", self.resources), Colour.BROKEN),
                ),
            ),
            Graph(
                title="Cannot fetch keys, cannot publish events",
                lines=(
                    self._counted(Metric.JWKS_FETCH_FAILURES, Colour.BROKEN),
                    self._counted(Metric.SECURITY_EVENT_FAILURES, Colour.FAILED),
                    self._counted(Metric.SECURITY_EVENTS_PUBLISHED, Colour.GOOD),
                    *self._undelivered(),
                ),
            ),
        )
        yield tuple(
            Graph(title=f"Duration by function, {statistic}", lines=self._each("Duration", statistic), unit="ms")
            for statistic in ("p50", "p90", "p99")
        )
        yield (
            Graph(title="Errors by function", lines=self._each("Errors"), threshold=thresholds.function_errors),
            Graph(
                title="Throttles by function",
                lines=self._each("Throttles"),
                threshold=thresholds.function_throttles,
            ),
            Graph(
                title="Concurrency: ours, and all of the account",
                lines=(
                    *self._each("ConcurrentExecutions", "Maximum"),
                    line("ClaimedAccountConcurrency", account_concurrency(), Colour.BROKEN),
                ),
                threshold=thresholds.concurrency,
            ),
        )
        yield (
            Graph(
                title="DynamoDB latency by operation, average",
                lines=tuple(
                    line(
                        operation,
                        table("SuccessfulRequestLatency", self.resources, operation=operation, statistic="Average"),
                    )
                    for operation in TABLE_OPERATIONS
                ),
                unit="ms",
            ),
            Graph(
                title="DynamoDB throttles and errors, failed calls of KMS",
                lines=(
                    line("ReadThrottleEvents", table("ReadThrottleEvents", self.resources), Colour.REFUSED),
                    line("WriteThrottleEvents", table("WriteThrottleEvents", self.resources), Colour.FAILED),
                    self._table_errors(),
                    self._counted(Metric.KEY_FAILURES, Colour.SUSPICIOUS),
                ),
                threshold=thresholds.table_throttles,
            ),
            LogTable(title="Cold starts by function", query=queries.COLD_STARTS, width=8),
        )

    def _undelivered(self) -> Iterator[Line]:
        if self.resources.dead_letter_queue_name is not None:
            yield line("dead letters", dead_letters(self.resources.dead_letter_queue_name), Colour.SUSPICIOUS)

    def _table_errors(self) -> Line:
        series = {
            f"failed_{operation.lower()}": table("SystemErrors", self.resources, operation=operation)
            for operation in TABLE_OPERATIONS
        }
        return Line(label="SystemErrors", series=series, expression=total(series), colour=Colour.BROKEN)

    # -- what does it cost -----------------------------------------------------------------------------------

    def _what_does_it_cost(self) -> Iterator[Row]:
        yield (
            self._heading(
                "What does it cost to run?",
                "Normal: one invocation of the authorizer and one of a route per request; one KMS call per setup and "
                "verification; one write per answer that checks a code. Anything steeper than the traffic is a loop.",
                "setup-mfa-attempts-flood",
            ),
        )
        yield (
            Graph(title="Invocations by function", lines=self._each("Invocations"), stacked=True),
            Graph(
                title="KMS calls on the secret's key",
                lines=(
                    line(DECRYPT, secret_key_uses(DECRYPT, self.resources), Colour.FIRST),
                    line(GENERATE_DATA_KEY, secret_key_uses(GENERATE_DATA_KEY, self.resources), Colour.SECOND),
                ),
                stacked=True,
            ),
            Graph(
                title="DynamoDB request units",
                lines=(
                    line("read", table("ConsumedReadCapacityUnits", self.resources), Colour.SECOND),
                    line("write", table("ConsumedWriteCapacityUnits", self.resources), Colour.FIRST),
                ),
                unit="units",
                stacked=True,
            ),
        )

    # -- latest failures -------------------------------------------------------------------------------------

    def _latest_failures(self) -> Iterator[Row]:
        yield (
            self._heading(
                "The latest failures",
                "Types, places and request ids; never a secret, code or token. `one-request`, among the saved queries, "
                "shows everything that a request id left behind.",
                "queries",
            ),
        )
        yield (LogTable(title="Latest failures", query=queries.LATEST_FAILURES),)
        yield (
            LogTable(title="Refused tokens by reason", query=queries.REFUSED_TOKENS, width=8),
            LogTable(title="Refused requests by source", query=queries.REFUSED_SOURCES, width=16),
        )

    # -- parts -----------------------------------------------------------------------------------------------

    def _heading(self, question: str, normal: str, anchor: str) -> Text:
        return Text(markdown=f"## {question}\n{normal} [Runbook]({self.config.runbook_link(anchor)})")

    def _counted(self, metric: Metric, colour: Colour) -> Line:
        return counter(counted(metric, self.environment), colour)

    def _each(self, name: str, statistic: str = "Sum") -> tuple[Line, ...]:
        return tuple(
            line(watched.folder.replace("_", "-"), function(name, watched, self.environment, statistic))
            for watched in self.resources.functions
        )


def _wrapped(graphs: Sequence[Graph]) -> Iterator[Row]:
    for start in range(0, len(graphs), _PER_ROW):
        yield tuple(graphs[start : start + _PER_ROW])
