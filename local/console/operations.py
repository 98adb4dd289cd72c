"""The dashboard as operators will see it: the deployed body, with what this machine's stack has done lately."""

import json
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

from botocore.config import Config

from local.bootstrap import Credentials, session
from local.cloudwatch.dashboard_body import problems
from local.cloudwatch.graph_lines import LogEvent, Statistic, Window, statistics_shown
from local.cloudwatch.metric_reader import CloudWatchMetrics, log_events
from local.console.alarms import Alarm, alarms
from local.console.widgets import Contents, Scale, Widget
from local.stack import Stack

_HOUR: Final = 3600


@dataclass(frozen=True, kw_only=True)
class TimeSpan:
    """A choice of the time that graphs show.

    Attributes
    ----------
    label : str
        For people.
    seconds : int
        Its length.
    finest : int or None
        The longest period, seconds; ``None`` for that of the body, which is what AWS will draw.
    """

    label: str
    seconds: int
    finest: int | None = None


#: By the name that the page asks for. A local run lasts minutes: the shorter ones look closer than the body does.
TIME_SPANS: Final = {
    "5m": TimeSpan(label="5 minutes", seconds=_HOUR // 12, finest=5),
    "15m": TimeSpan(label="15 minutes", seconds=_HOUR // 4, finest=15),
    "1h": TimeSpan(label="1 hour", seconds=_HOUR, finest=60),
    "3h": TimeSpan(label="3 hours", seconds=3 * _HOUR),
}
DEFAULT_TIME_SPAN: Final = "15m"

_LOG_GROUPS: Final = "/aws/"
_LONGEST: Final = max(each.seconds for each in TIME_SPANS.values())
#: What is logged reaches the logs a moment later than it says.
_OVERLAP_SECONDS: Final = 30
_MOST_EVENTS: Final = 50_000
#: One that answers does so in milliseconds; one that does not must not hold up the page. A look at the logs while a
#: function begins a new one is a 500 of MiniStack's, now and then, and right the next time.
CONFIG: Final = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 3})


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that the page shows.

    Attributes
    ----------
    taken : float
        When, epoch seconds.
    dashboard : str or None
        Name of the dashboard, ``None`` where none is deployed.
    span : str
        Key of `TIME_SPANS`.
    spans : dict of str to str
        What else can be asked for: keys and labels.
    problems : list of str
        What CloudWatch would find wrong with the body.
    """

    taken: float
    environment: str
    dashboard: str | None
    span: str
    spans: dict[str, str]
    problems: list[str]
    widgets: list[Widget]
    alarms: list[Alarm]


def snapshot(stack: Stack, span: str = DEFAULT_TIME_SPAN) -> dict[str, Any]:
    """Return what the page shows, ready for JSON: a `Snapshot`.

    Parameters
    ----------
    span : str
        Key of `TIME_SPANS`; an unknown one is the default.

    Raises
    ------
    BotoCoreError, ClientError
        The embedded AWS does not answer, or refuses.
    """
    keys = (stack.access_key_id, stack.secret_access_key)
    dashboard = _dashboard(stack.endpoint_url, stack.region, stack.environment, *keys)
    return asdict(dashboard.snapshot(span if span in TIME_SPANS else DEFAULT_TIME_SPAN))


@lru_cache(maxsize=1)
def _dashboard(
    endpoint_url: str, region: str, environment: str, access_key_id: str, secret_access_key: str
) -> "Dashboard":
    aws = session(Credentials(access_key_id, secret_access_key), region)
    cloudwatch, logs = (
        aws.client(service, endpoint_url=endpoint_url, config=CONFIG) for service in ("cloudwatch", "logs")
    )
    return Dashboard(cloudwatch, logs, environment)


class LogTail:
    """The log events of the last hours; each look reads on where the one before ended.

    Of more than `most` events the latest are kept.
    """

    def __init__(self, logs: Any, *, most: int = _MOST_EVENTS) -> None:  # noqa: ANN401 (boto3 clients have no types of their own)
        self._logs = logs
        self._most = most
        self._events: list[LogEvent] = []
        self._looked = 0.0

    def events(self, now: float) -> list[LogEvent]:
        """Return them, oldest first."""
        oldest = now - _LONGEST
        since = max(oldest, self._looked - _OVERLAP_SECONDS)
        found = log_events(self._logs, _LOG_GROUPS, since=since)
        known = {event for event in self._events if event[0] >= since - 1}
        fresh = [event for event in found if event not in known]
        if fresh or (self._events and self._events[0][0] < oldest):
            kept = [event for event in self._events if event[0] >= oldest]
            self._events = sorted([*kept, *fresh])[-self._most :]
        self._looked = now
        return self._events


class Dashboard:
    """The dashboard of one environment.

    Parameters
    ----------
    cloudwatch, logs
        boto3 clients.
    environment : str
        Whose dashboard it is.
    """

    def __init__(self, cloudwatch: Any, logs: Any, environment: str) -> None:  # noqa: ANN401 (boto3 clients have no types of their own)
        self._cloudwatch = cloudwatch
        self._environment = environment
        self._tail = LogTail(logs)
        self._lock = threading.Lock()

    def snapshot(self, span: str, now: float | None = None) -> Snapshot:
        """Look at everything once; one look at a time."""
        with self._lock:
            return self._snapshot(span, time.time() if now is None else now)

    def _snapshot(self, span: str, now: float) -> Snapshot:
        chosen = TIME_SPANS[span]
        name = f"mfa-{self._environment}"
        body = self._body(name)
        events = self._tail.events(now)
        metrics = CloudWatchMetrics(self._cloudwatch, events)
        contents = Contents(
            scale=Scale(now=now, seconds=chosen.seconds, finest=chosen.finest),
            metrics=metrics,
            events=[event for event in events if event[0] >= now - chosen.seconds],
        )
        widgets = [] if body is None else body["widgets"]
        wanted: dict[Window, set[Statistic]] = defaultdict(set)
        for widget in widgets:
            if widget.get("type") == "metric":
                for window in contents.windows(widget["properties"]):
                    wanted[window] |= statistics_shown(widget["properties"])
        for window, statistics in wanted.items():
            metrics.read(statistics, window)
        return Snapshot(
            taken=now,
            environment=self._environment,
            dashboard=None if body is None else name,
            span=span,
            spans={key: each.label for key, each in TIME_SPANS.items()},
            problems=[] if body is None else problems(body),
            widgets=[contents.widget(widget) for widget in widgets],
            alarms=alarms(self._cloudwatch, self._environment),
        )

    def _body(self, name: str) -> dict[str, Any] | None:
        try:
            answer = self._cloudwatch.get_dashboard(DashboardName=name)
        except self._cloudwatch.exceptions.ResourceNotFound:
            return None
        body: dict[str, Any] = json.loads(answer["DashboardBody"])
        return body
