"""Logs Insights queries: saved for operators, shown on the dashboard, quoted in the runbook.

They use fields that ``functions.shared.http``, the authorizer and the access log write. No such field contains a
secret, a code or a token.
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct

from functions.shared import contract
from infra.monitoring.resources import WatchedResources

#: In place of this, the dashboard puts what its reader searches for.
SEARCHED: Final = "REQUEST-OR-USER-ID"


class Source(StrEnum):
    """The log groups that a query reads."""

    FUNCTIONS = auto()
    AUTHORIZER = auto()
    ACCESS_LOG = auto()


@dataclass(frozen=True, kw_only=True)
class SavedQuery:
    """A Logs Insights query.

    Attributes
    ----------
    name : str
        Its name in the console, below ``mfa/{environment}/``.
    source : Source
        The log groups that it reads.
    lines : tuple of str
        Its commands, joined by pipes.
    """

    name: str
    source: Source
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The query as Logs Insights expects it."""
        return "\n| ".join(self.lines)


LATEST_FAILURES = SavedQuery(
    name="latest-failures",
    source=Source.FUNCTIONS,
    lines=(
        'filter level in ["ERROR", "WARNING", "CRITICAL"] or status >= 500',
        "fields @timestamp, route, status, outcome, operation, reason, message, exception.0.type, request_id",
        "sort @timestamp desc",
        "limit 50",
    ),
)
OUTCOMES_BY_ROUTE = SavedQuery(
    name="outcomes-by-route",
    source=Source.FUNCTIONS,
    lines=(
        'filter message = "request answered"',
        "stats count() as responses by route, status, outcome",
        "sort responses desc",
    ),
)
BUSIEST_USERS = SavedQuery(
    name="busiest-users",
    source=Source.FUNCTIONS,
    lines=(
        'filter message = "request answered"',
        "stats count() as responses, count_distinct(outcome) as outcomes by user_id, route",
        "sort responses desc",
        "limit 25",
    ),
)
REFUSED_CODES = SavedQuery(
    name="refused-codes-by-user",
    source=Source.FUNCTIONS,
    lines=(
        'filter outcome in ["INVALID_CODE", "TOO_MANY_ATTEMPTS", "CONFLICT"]',
        "stats count() as refused, min(@timestamp) as first, max(@timestamp) as last by user_id, outcome",
        "sort refused desc",
        "limit 25",
    ),
)
ONE_REQUEST = SavedQuery(
    name="one-request",
    source=Source.FUNCTIONS,
    lines=(
        f'filter request_id = "{SEARCHED}" or user_id = "{SEARCHED}"',
        "fields @timestamp, message, route, status, outcome, reason, exception.0.type, request_id, user_id",
        "sort @timestamp desc",
        "limit 100",
    ),
)
SLOWEST_ROUTES = SavedQuery(
    name="slowest-routes",
    source=Source.FUNCTIONS,
    lines=(
        'filter message = "request answered"',
        "stats count() as responses, pct(duration_ms, 50) as p50, pct(duration_ms, 99) as p99 by route",
        "sort p99 desc",
    ),
)
COLD_STARTS = SavedQuery(
    name="cold-starts",
    source=Source.FUNCTIONS,
    lines=(
        'filter @type = "REPORT"',
        r"parse @message /Restore Duration: (?<restored>[\d.]+) ms/",
        r"parse @log /\/aws\/lambda\/(?<function>.+)/",
        "fields coalesce(@initDuration, restored) as start_ms",
        "stats count(start_ms) as starts, max(start_ms) as longest_ms, count() as invocations by function",
        "sort starts desc",
    ),
)
REFUSED_TOKENS = SavedQuery(
    name="refused-tokens-by-reason",
    source=Source.AUTHORIZER,
    lines=(
        'filter message = "request refused"',
        "stats count() as refused by reason, route",
        "sort refused desc",
    ),
)
REFUSED_SOURCES = SavedQuery(
    name="refused-by-source",
    source=Source.ACCESS_LOG,
    lines=(
        "filter status >= 400",
        "stats count() as refused by source_ip, user_agent, path, status",
        "sort refused desc",
        "limit 25",
    ),
)

SAVED_QUERIES = (
    LATEST_FAILURES,
    OUTCOMES_BY_ROUTE,
    BUSIEST_USERS,
    REFUSED_CODES,
    ONE_REQUEST,
    SLOWEST_ROUTES,
    COLD_STARTS,
    REFUSED_TOKENS,
    REFUSED_SOURCES,
)


def log_groups(query: SavedQuery, watched: WatchedResources) -> list[str]:
    """Return the names of the log groups that a query reads."""
    if query.source is Source.ACCESS_LOG:
        return [watched.access_log_name]
    return [
        watched.log_group_name(folder)
        for folder in watched.functions
        if query.source is Source.FUNCTIONS or folder == contract.AUTHORIZER_FUNCTION
    ]


class SavedQueries(Construct):
    """The queries, in the console's list of saved ones.

    Parameters
    ----------
    watched : WatchedResources
        The parts whose logs they read.
    """

    def __init__(self, scope: Construct, id: str, *, watched: WatchedResources) -> None:
        super().__init__(scope, id)
        for query in SAVED_QUERIES:
            logs.CfnQueryDefinition(
                self,
                query.name,
                name=f"mfa/{watched.environment}/{query.name}",
                query_string=query.text,
                log_group_names=log_groups(query, watched),
            )
