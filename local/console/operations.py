"""The operations view: the deployed dashboard and alarms, with the metrics and logs of the local stack."""

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config

from infra.outputs import StackId, dashboard_name, stack_name
from local import users
from local.bootstrap import session
from local.cloudwatch.dashboard_body import problems, with_input
from local.cloudwatch.graph_lines import statistics_shown
from local.cloudwatch.logs_insights import LogEvent
from local.cloudwatch.metric_reader import MetricReader
from local.console.alarms import Alarm, alarms
from local.console.widgets import Contents, TimeSpan, Widget
from local.stack import Credentials, Stack

if TYPE_CHECKING:
    from local.cloudwatch.metric_statistics import Statistic, Window

_HOUR: Final = 3600

#: By the name that the page asks for. A local run lasts minutes: the shorter ones have shorter periods than the body.
TIME_SPANS: Final = {
    "5m": TimeSpan(label="5 minutes", seconds=_HOUR // 12, longest_period=5),
    "15m": TimeSpan(label="15 minutes", seconds=_HOUR // 4, longest_period=15),
    "1h": TimeSpan(label="1 hour", seconds=_HOUR, longest_period=60),
    "3h": TimeSpan(label="3 hours", seconds=3 * _HOUR),
}
DEFAULT_TIME_SPAN: Final = "15m"

_SEARCHABLE: Final = re.compile(r"[\w@.+:=/-]{1,128}")
#: The final states of a stack with what was deployed last.
_DEPLOYED: Final = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
_LOG_GROUPS: Final = "/aws/"
_LONGEST: Final = max(each.seconds for each in TIME_SPANS.values())
#: Log events arrive a moment later than their timestamps say.
_OVERLAP_SECONDS: Final = 30
_MOST_EVENTS: Final = 50_000
#: The emulator responds in milliseconds; if it does not, the page must not wait for it. MiniStack sometimes returns a
#: 500 for the logs while a function begins a new one; the next try succeeds.
CONFIG: Final = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 3})


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that the page shows.

    Attributes
    ----------
    taken : float
        When, epoch seconds.
    dashboard : str or None
        Name of the dashboard, ``None`` if none is deployed.
    span : str
        Key of `TIME_SPANS`.
    spans : dict of str to str
        Keys and labels of all time spans.
    found : str
        The request or user that the dashboard's search field has; empty if it has none.
    deployments : list of float
        When the stacks were deployed, epoch seconds, oldest first.
    problems : list of str
        Why CloudWatch would refuse the body.
    """

    taken: float
    environment: str
    region: str
    dashboard: str | None
    span: str
    spans: dict[str, str]
    found: str
    deployments: list[float]
    problems: list[str]
    widgets: list[Widget]
    alarms: list[Alarm]


def snapshot(stack: Stack, span: str = DEFAULT_TIME_SPAN, search: str = "") -> dict[str, Any]:
    """Return what the page shows, ready for JSON: a `Snapshot`.

    Parameters
    ----------
    span : str
        Key of `TIME_SPANS`; an unknown one is the default.
    search : str
        The id of a request or user, or the name of a user of the local user pool, to put into the dashboard's search
        field. Other text finds nothing.

    Raises
    ------
    BotoCoreError, ClientError
        The emulator does not respond, or refuses.
    """
    # Text with quotation marks would change the query.
    name = search if _SEARCHABLE.fullmatch(search) else ""
    identifier = name and (users.identifier(stack, name) or name)
    dashboard = _dashboard(stack.administrator, stack.endpoint_url, stack.region, stack.environment)
    return asdict(dashboard.snapshot(span if span in TIME_SPANS else DEFAULT_TIME_SPAN, identifier))


class LogTail:
    """The log events of the last hours; each call reads on where the last one ended.

    Of more than `most` events the latest are kept.
    """

    def __init__(self, logs: Any, *, most: int = _MOST_EVENTS) -> None:  # noqa: ANN401 (boto3 clients have no types)
        self._logs = logs
        self._most = most
        self._events: list[LogEvent] = []
        self._looked = 0.0

    def events(self, now: float) -> list[LogEvent]:
        """Return them, oldest first."""
        oldest = now - _LONGEST
        since = max(oldest, self._looked - _OVERLAP_SECONDS)
        known = {event for event in self._events if event[0] >= since - 1}
        fresh = [event for event in self._read(since) if event not in known]
        if fresh or (self._events and self._events[0][0] < oldest):
            kept = [event for event in self._events if event[0] >= oldest]
            self._events = sorted([*kept, *fresh])[-self._most :]
        self._looked = now
        return self._events

    def _read(self, since: float) -> Iterator[LogEvent]:
        pages = self._logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_LOG_GROUPS)
        for group in (each["logGroupName"] for page in pages for each in page["logGroups"]):
            events = self._logs.get_paginator("filter_log_events")
            for page in events.paginate(logGroupName=group, startTime=int(since * 1000)):
                for event in page["events"]:
                    yield event["timestamp"] / 1000, group, event["message"].rstrip()


class Dashboard:
    """The dashboard of one environment. Not safe for use by several threads."""

    def __init__(self, administrator: Credentials, endpoint_url: str, region: str, environment: str) -> None:
        aws = session(administrator, region)
        self._cloudwatch, logs, self._cloudformation = (
            aws.client(service, endpoint_url=endpoint_url, config=CONFIG)
            for service in ("cloudwatch", "logs", "cloudformation")
        )
        self._environment = environment
        self._tail = LogTail(logs)

    def snapshot(self, span: str, searched: str) -> Snapshot:
        """Return the state of everything."""
        now = time.time()
        chosen = TIME_SPANS[span]
        name = dashboard_name(self._environment, self._cloudwatch.meta.region_name)
        body = self._body(name, searched)
        widgets = [] if body is None else body["widgets"]
        metrics = MetricReader(self._cloudwatch)
        events = [event for event in self._tail.events(now) if event[0] >= now - chosen.seconds]
        contents = Contents(now=now, span=chosen, metrics=metrics, events=events)
        wanted: dict[Window, set[Statistic]] = defaultdict(set)
        for properties in (widget["properties"] for widget in widgets if widget.get("type") == "metric"):
            for window in contents.windows(properties):
                wanted[window] |= statistics_shown(properties)
        for window, statistics in wanted.items():
            metrics.read(statistics, window)
        return Snapshot(
            taken=now,
            environment=self._environment,
            region=self._cloudwatch.meta.region_name,
            dashboard=None if body is None else name,
            span=span,
            spans={key: each.label for key, each in TIME_SPANS.items()},
            found=searched,
            deployments=self._deployments(),
            problems=[] if body is None else problems(body),
            widgets=[contents.widget(widget) for widget in widgets],
            alarms=alarms(self._cloudwatch, self._environment),
        )

    def _deployments(self) -> list[float]:
        """Return when the stack with the functions was deployed."""
        events = self._cloudformation.get_paginator("describe_stack_events")
        stack = stack_name(self._environment, StackId.SERVICE)
        return sorted(
            event["Timestamp"].timestamp()
            for page in events.paginate(StackName=stack)
            for event in page["StackEvents"]
            if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"] in _DEPLOYED
        )

    def _body(self, name: str, searched: str) -> dict[str, Any] | None:
        try:
            answer = self._cloudwatch.get_dashboard(DashboardName=name)
        except self._cloudwatch.exceptions.ResourceNotFound:
            return None
        return with_input(json.loads(answer["DashboardBody"]), searched)


#: The clients and the log events are kept from one snapshot to the next.
_dashboard: Final = lru_cache(maxsize=1)(Dashboard)
