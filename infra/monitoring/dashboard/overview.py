"""The dashboard `mfa-ENVIRONMENT-REGION`: alarms that are on, key figures, then details and the latest failures.

A new route appears automatically. A new metric of the functions needs a line here; a test finds a missing one.
"""

from itertools import batched
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from functions.shared import contract
from functions.shared.contract import Endpoint, Metric
from infra.config.monitoring import MonitoringConfig
from infra.monitoring import queries
from infra.monitoring.alarms import Alarms
from infra.monitoring.dashboard.figures import VERIFIED_PERCENT, key_figures, success_rate
from infra.monitoring.dashboard.graphs import (
    Colour,
    WidgetRow,
    computed,
    counter,
    dashboard,
    graph,
    line,
    request_units,
    table_latency,
    table_throttles,
)
from infra.monitoring.queries import SavedQuery, log_groups
from infra.monitoring.resources import DECRYPT, GENERATE_DATA_KEY, TABLE_OPERATIONS, WatchedResources
from infra.monitoring.rules.endpoints import slug, watched_endpoints
from infra.monitoring.rules.model import total
from infra.project import VERSION

COLUMNS: Final = 24

#: The label and colour of each outcome of a route, in the order of `contract.EndpointMetrics`.
_OUTCOMES: Final = {
    "attempts": ("attempts", Colour.NEUTRAL),
    "successes": ("succeeded", Colour.GOOD),
    "rejections": ("rejected (4xx)", Colour.REFUSED),
    "errors": ("unavailable (503)", Colour.FAILED),
    "system_errors": ("failed (500)", Colour.BROKEN),
    "unauthorized": ("no valid token (401)", Colour.SUSPICIOUS),
}
_OF_SETUP: Final = {"rejections": ("already enabled (409)", Colour.REFUSED)}


class OverviewDashboard(Construct):
    """The dashboard of one environment.

    Parameters
    ----------
    watched : WatchedResources
        The parts of that environment, and their metrics.
    config : MonitoringConfig
        Where the runbook is, and the thresholds that graphs show.
    alarms : Alarms
        The alarms whose states it shows.
    """

    def __init__(
        self, scope: Construct, id: str, *, watched: WatchedResources, config: MonitoringConfig, alarms: Alarms
    ) -> None:
        super().__init__(scope, id)
        self._watched = watched
        self._config = config
        self._alarms = alarms
        rows: list[WidgetRow] = [
            self._title(),
            self._alarms_that_are_on(),
            key_figures(watched, config.thresholds),
            *self._alarm_states(),
            *self._health(),
            *self._attacks(),
            *self._latency_and_failures(),
            *self._cost(),
            *self._latest_failures(),
            *self._find(),
        ]
        dashboard(self, watched.dashboard_name, rows, [_search_field()])

    def _title(self) -> WidgetRow:
        service, region = f"{self._watched.environment} · {VERSION}", self._watched.region
        return _text(f"# MFA service · {service} · {region}", height=1)

    def _alarms_that_are_on(self) -> WidgetRow:
        return [
            cloudwatch.AlarmStatusWidget(
                title="In ALARM",
                alarms=[*self._alarms.urgent, *self._alarms.notifying],
                states=[cloudwatch.AlarmState.ALARM],
                sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
                width=COLUMNS,
                height=2,
            )
        ]

    def _alarm_states(self) -> list[WidgetRow]:
        notifying = cloudwatch.AlarmStatusWidget(
            title="Notifies only", alarms=[*self._alarms.notifying], width=16, height=7
        )
        widgets = [notifying]
        if urgent := self._alarms.urgent:  # CloudWatch refuses a widget without alarms
            widgets.insert(0, cloudwatch.AlarmStatusWidget(title="Pages on-call", alarms=urgent, width=8, height=7))
        return [
            self._heading(
                "Alarms",
                "Each alarm has a heading in the runbook.",
                "page",
            ),
            widgets,
        ]

    def _health(self) -> list[WidgetRow]:
        endpoints = watched_endpoints(self._watched)
        others = [endpoint for endpoint in endpoints if endpoint is not contract.SETUP]
        graphs = [graph(f"{each.method} {each.path}", self._outcomes(each)) for each in others]
        setup = contract.SETUP
        return [
            self._heading(
                "Health",
                f"Normal: every alarm is OK; nearly all setups succeed; {VERIFIED_PERCENT} % of the codes at login are "
                "right, because people mistype; no 5xx.",
                "first-five-minutes",
            ),
            [
                graph(f"Setup: {setup.method} {setup.path}", self._outcomes(setup), width=12, height=7),
                graph(
                    "Success rate (%)",
                    [success_rate(self._watched, endpoint, slug(endpoint)) for endpoint in endpoints],
                    unit="%",
                    width=12,
                    height=7,
                ),
            ],
            *batched(graphs, 3, strict=False),
        ]

    def _attacks(self) -> list[WidgetRow]:
        thresholds = self._config.thresholds
        return [
            self._heading(
                "Attacks",
                "Normal: a few expired tokens and mistyped codes, in proportion to the traffic; hardly any replays, "
                "lock-outs and conflicts; KMS counts exactly the decryptions that the functions count.",
                "invalid-codes-surge",
            ),
            [
                graph(
                    "Unauthorized requests (401) by route",
                    [
                        counter(slug(each), self._watched.counted(each.metrics.unauthorized))
                        for each in contract.ENDPOINTS
                    ],
                    threshold=thresholds.setup_unauthorized,
                ),
                graph(
                    "Wrong and replayed codes",
                    [
                        self._counter("wrong or used codes", Metric.INVALID_CODES, Colour.SUSPICIOUS),
                        self._counter("among them used codes", Metric.REPLAYS_REJECTED, Colour.BROKEN),
                    ],
                    threshold=thresholds.invalid_codes,
                ),
                graph(
                    "Lock-outs",
                    [
                        self._counter("lock-outs", Metric.LOCKOUTS, Colour.BROKEN),
                        self._counter("attempts while locked", Metric.LOCKED_ATTEMPTS, Colour.REFUSED),
                    ],
                    threshold=thresholds.lockouts,
                ),
            ],
            [
                graph(
                    "Backup codes used",
                    [self._counter("backup codes used", Metric.BACKUP_CODES_USED, Colour.REFUSED)],
                    threshold=thresholds.backup_codes_used,
                ),
                graph(
                    "Conflicts (409) and missing scopes (403)",
                    [
                        self._counter("conflicts", Metric.CONFLICTS, Colour.SUSPICIOUS),
                        self._counter("missing scope", Metric.INSUFFICIENT_SCOPE, Colour.REFUSED),
                    ],
                    threshold=min(thresholds.conflicts, thresholds.insufficient_scope),
                ),
                graph(
                    "Decryptions of secrets",
                    [
                        line("by any principal", self._watched.secret_key_uses(DECRYPT), Colour.BROKEN),
                        self._counter("by the functions", Metric.SECRET_DECRYPTIONS, Colour.GOOD),
                    ],
                ),
            ],
            *self._proofs(),
        ]

    def _proofs(self) -> list[WidgetRow]:
        signed = self._watched.proof_key_uses()
        if not signed:
            return []
        by_anyone = [
            line(f"by any principal, key {place}", each, Colour.BROKEN)
            for place, each in enumerate(signed.values(), start=1)
        ]
        return [
            [
                graph(
                    "Signatures of proofs",
                    [
                        *by_anyone,
                        self._counter("by the functions", Metric.PROOF_SIGNATURES, Colour.GOOD),
                        self._counter("failed", Metric.PROOF_SIGNING_FAILURES, Colour.FAILED),
                    ],
                    width=COLUMNS,
                )
            ]
        ]

    def _latency_and_failures(self) -> list[WidgetRow]:
        thresholds, watched = self._config.thresholds, self._watched
        system_errors = {
            f"failed_{operation.lower()}": watched.table("SystemErrors", operation=operation)
            for operation in TABLE_OPERATIONS
        }
        dead_letters = watched.dead_letters()
        return [
            self._heading(
                "Latency and failures",
                "Normal: p50 below 100 ms, p99 below 1 s (cold starts); no function errors or throttles; DynamoDB "
                "responds within 10 ms. KMS publishes only successful calls, neither latency nor throttles.",
                "api-latency-p99",
            ),
            [
                graph(
                    "End-to-end latency (ms)",
                    [
                        line("p50", watched.gateway("Latency", "p50"), Colour.GOOD),
                        line("p90", watched.gateway("Latency", "p90"), Colour.REFUSED),
                        line("p99", watched.gateway("Latency", "p99"), Colour.FAILED),
                    ],
                    unit="ms",
                    threshold=thresholds.api_latency_p99_ms,
                ),
                graph(
                    "Gateway: requests, 4xx and 5xx",
                    [
                        line("requests", watched.gateway("Count"), Colour.NEUTRAL),
                        line("4xx", watched.gateway("4XXError"), Colour.REFUSED),
                        line("5xx", watched.gateway("5XXError"), Colour.BROKEN),
                    ],
                ),
                graph(
                    "Signing keys and security events",
                    [
                        self._counter("failed fetches of keys", Metric.JWKS_FETCH_FAILURES, Colour.BROKEN),
                        self._counter("events that failed", Metric.SECURITY_EVENT_FAILURES, Colour.FAILED),
                        self._counter("events published", Metric.SECURITY_EVENTS_PUBLISHED, Colour.GOOD),
                        self._counter("records tampered with", Metric.RECORDS_TAMPERED, Colour.SUSPICIOUS),
                        *([line("dead letters", dead_letters, Colour.REFUSED)] if dead_letters else []),
                    ],
                ),
            ],
            [
                graph(f"Duration by function, {statistic} (ms)", self._by_function("Duration", statistic), unit="ms")
                for statistic in ("p50", "p90", "p99")
            ],
            [
                graph("Errors by function", self._by_function("Errors"), threshold=thresholds.function_errors),
                graph("Throttles by function", self._by_function("Throttles"), threshold=thresholds.function_throttles),
                graph(
                    "Concurrency by function, and of the account",
                    [
                        *self._by_function("ConcurrentExecutions", "Maximum"),
                        line("the whole account", watched.account_concurrency(), Colour.BROKEN),
                    ],
                    threshold=thresholds.concurrency,
                ),
            ],
            [
                graph("DynamoDB latency by operation, average (ms)", table_latency(watched), unit="ms"),
                graph(
                    "DynamoDB throttles and errors, KMS failures",
                    [
                        *table_throttles(watched),
                        computed("DynamoDB errors", total(system_errors), system_errors, Colour.BROKEN),
                        self._counter("KMS failures", Metric.KEY_FAILURES, Colour.SUSPICIOUS),
                    ],
                    threshold=thresholds.table_throttles,
                ),
                self._log_table("Cold starts by function", queries.COLD_STARTS, width=8),
            ],
        ]

    def _cost(self) -> list[WidgetRow]:
        watched = self._watched
        return [
            self._heading(
                "Cost",
                "Normal: each request is one invocation of the authorizer and one of a route; each setup and each "
                "check of a code is one KMS call; each check of a code is one write. A steeper line is a loop.",
                "setup-mfa-attempts-flood",
            ),
            [
                graph("Invocations by function", self._by_function("Invocations"), stacked=True),
                graph(
                    "KMS calls on the secret key",
                    [
                        line(DECRYPT, watched.secret_key_uses(DECRYPT), Colour.FIRST),
                        line(GENERATE_DATA_KEY, watched.secret_key_uses(GENERATE_DATA_KEY), Colour.SECOND),
                    ],
                    stacked=True,
                ),
                graph("DynamoDB request units", request_units(watched), unit="units", stacked=True),
            ],
        ]

    def _latest_failures(self) -> list[WidgetRow]:
        return [
            self._heading(
                "Latest failures",
                "Types, places and request ids; never a secret, code or token.",
                "queries",
            ),
            [self._log_table("Latest failures", queries.LATEST_FAILURES)],
            [
                self._log_table("Refused tokens by reason", queries.REFUSED_TOKENS, width=8),
                self._log_table("Refused requests by source", queries.REFUSED_SOURCES, width=16),
            ],
        ]

    def _find(self) -> list[WidgetRow]:
        return [
            self._heading(
                "Find",
                "Enter the id of a request, which is in every error body, or of a user (`sub`) at the top.",
                "queries",
            ),
            [self._log_table("Requests found", queries.ONE_REQUEST)],
        ]

    def _heading(self, title: str, normal: str, anchor: str) -> WidgetRow:
        return _text(f"## {title}\n{normal} [Runbook]({self._config.runbook_link(anchor)})")

    def _outcomes(self, endpoint: Endpoint) -> list[cloudwatch.IMetric]:
        return [
            counter(label, self._watched.counted(getattr(endpoint.metrics, outcome)), colour)
            for outcome, (label, colour) in (_OUTCOMES | _OF_SETUP if endpoint is contract.SETUP else _OUTCOMES).items()
            if not (outcome == "unauthorized" and endpoint in contract.PROOF_ENDPOINTS)  # they are public
        ]

    def _counter(self, label: str, metric: Metric, colour: Colour) -> cloudwatch.IMetric:
        return counter(label, self._watched.counted(metric), colour)

    def _by_function(self, name: str, statistic: str = "Sum") -> list[cloudwatch.IMetric]:
        return [
            line(folder.replace("_", "-"), self._watched.function(folder, name, statistic))
            for folder in self._watched.functions
        ]

    def _log_table(self, title: str, query: SavedQuery, *, width: int = COLUMNS) -> cloudwatch.LogQueryWidget:
        groups = log_groups(query, self._watched)
        return cloudwatch.LogQueryWidget(
            title=title, log_group_names=groups, query_lines=[*query.lines], width=width, height=6
        )


def _search_field() -> cloudwatch.DashboardVariable:
    """Return the input at the top of the dashboard; CloudWatch puts its text into the query of the last table."""
    return cloudwatch.DashboardVariable(
        id="find",
        type=cloudwatch.VariableType.PATTERN,
        input_type=cloudwatch.VariableInputType.INPUT,
        value=queries.SEARCHED,
        label="Request or user id",
        default_value=cloudwatch.DefaultValue.value(queries.SEARCHED),
    )


def _text(markdown: str, height: int = 2) -> WidgetRow:
    transparent = cloudwatch.TextWidgetBackground.TRANSPARENT
    return [cloudwatch.TextWidget(markdown=markdown, width=COLUMNS, height=height, background=transparent)]
