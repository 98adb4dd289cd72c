"""What differs between environments: when alarms fire, who hears of them, and whether anyone is woken."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """From which value on each alarm fires. Counts are sums over five minutes where nothing else is said.

    The defaults suit a service of some thousand users; a busy one raises the counts and keeps the ratios.

    Attributes
    ----------
    setup_attempts, setup_successes, setup_already_enabled, setup_unauthorized : int
        Requests to the setup route, by outcome.
    errors : int
        Answers 503 of one route.
    system_errors : int
        Answers 500 of one route.
    error_ratio_percent : float
        Share of a route's answers that are 500 or 503.
    ratio_minimum_requests : int
        Ratios below this many requests are noise and count as zero.
    setups_without_success : int
        Attempts within 15 minutes (409 set aside) that may all fail before the route counts as dead.
    verifications_without_success : int
        The same for logins, where wrong codes are normal: higher.
    invalid_codes, replays, lockouts, backup_codes_used, conflicts, insufficient_scope : int
        Signs of an attack, over all routes.
    unauthorized : int
        Answers 401 of all routes but setup.
    decryptions_unaccounted : int
        Decrypt calls on the secret's key, within 15 minutes, that no function counted.
    jwks_fetch_failures : int
        Failed fetches of the token issuer's keys.
    event_failures : int
        Security events that could not be published at an attempt.
    event_delay_minutes : int
        Age of the oldest security event not yet published.
    api_5xx_percent, api_4xx_percent : float
        Share of the gateway's answers.
    api_latency_p99_ms : int
        99th percentile of the whole answer, milliseconds.
    function_errors, function_throttles : int
        Crashes and time-outs, refused invocations, of all functions.
    duration_percent_of_timeout : float
        Longest invocation as a share of its function's time-out.
    concurrency : int
        Concurrent executions claimed in the whole account and region: about 80 % of its quota (1000 by default).
    table_throttles, table_system_errors : int
        DynamoDB requests refused for capacity, or failed inside DynamoDB.
    """

    setup_attempts: int = 500
    setup_successes: int = 300
    setup_already_enabled: int = 100
    setup_unauthorized: int = 100
    errors: int = 5
    system_errors: int = 1
    error_ratio_percent: float = 5
    ratio_minimum_requests: int = 20
    setups_without_success: int = 5
    verifications_without_success: int = 30
    invalid_codes: int = 100
    replays: int = 10
    lockouts: int = 10
    backup_codes_used: int = 20
    conflicts: int = 50
    insufficient_scope: int = 50
    unauthorized: int = 200
    decryptions_unaccounted: int = 10
    jwks_fetch_failures: int = 3
    event_failures: int = 3
    event_delay_minutes: int = 10
    api_5xx_percent: float = 2
    api_4xx_percent: float = 50
    api_latency_p99_ms: int = 3000
    function_errors: int = 1
    function_throttles: int = 1
    duration_percent_of_timeout: float = 80
    concurrency: int = 800
    table_throttles: int = 5
    table_system_errors: int = 5

    def __post_init__(self) -> None:
        """Refuse a threshold that would hold an alarm on for ever."""
        for each in fields(self):
            if getattr(self, each.name) <= 0:
                raise ValueError(f"thresholds.{each.name}: expected a number above 0, got {getattr(self, each.name)}")


@dataclass(frozen=True, kw_only=True)
class MonitoringConfig:
    """The monitoring of one environment.

    Attributes
    ----------
    alert_emails : tuple of str
        Told of every alarm that starts or ends. AWS asks each address to confirm first.
    paging : bool
        Whether the one composite alarm wakes somebody. Its children never do.
    page_urls : tuple of str
        HTTPS endpoints of a pager service that takes CloudWatch alarms from SNS.
    page_emails : tuple of str
        Addresses that are told of pages alone.
    runbook_url : str
        Address of the runbook: the start of every link in alarms and dashboards.
    quiet_hours : int or None
        Hours without a single request after which the silence itself is an alarm. ``None``: nights may be silent.
    thresholds : Thresholds
        When alarms fire.
    """

    alert_emails: tuple[str, ...] = ()
    paging: bool = False
    page_urls: tuple[str, ...] = ()
    page_emails: tuple[str, ...] = ()
    runbook_url: str = "docs/runbook.md"
    quiet_hours: int | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        """Refuse what would only fail at deployment, or never tell anybody."""
        for name in ("alert_emails", "page_emails"):
            for address in getattr(self, name):
                if "@" not in address:
                    raise ValueError(f"monitoring.{name}: expected an e-mail address, got {address!r}")
        for url in self.page_urls:
            if not url.startswith("https://"):
                raise ValueError(f"monitoring.page_urls: expected an https:// address, got {url!r}")
        if not self.paging and (self.page_urls or self.page_emails):
            raise ValueError("monitoring.paging: expected true where page_urls or page_emails are given")
        if self.quiet_hours is not None and not 1 <= self.quiet_hours <= 24:
            raise ValueError(f"monitoring.quiet_hours: expected 1 to 24, got {self.quiet_hours}")
        if not self.runbook_url or "#" in self.runbook_url:
            raise ValueError(f"monitoring.runbook_url: expected an address without fragment, got {self.runbook_url!r}")

    def runbook_link(self, heading: str) -> str:
        """Return the address of one heading of the runbook."""
        return f"{self.runbook_url}#{heading}"


DEV: Final = MonitoringConfig()
PROD: Final = MonitoringConfig(paging=True)

#: One machine, one person: every plain alarm is within reach of a few requests.
LOCAL: Final = MonitoringConfig(
    thresholds=replace(
        Thresholds(),
        setup_attempts=20,
        setup_successes=10,
        setup_already_enabled=3,
        setup_unauthorized=3,
        errors=2,
        invalid_codes=10,
        replays=2,
        lockouts=2,
        backup_codes_used=5,
        conflicts=10,
        insufficient_scope=3,
    ),
)

#: The starting point of each environment, by its name.
BY_ENVIRONMENT: Final[Mapping[str, MonitoringConfig]] = {"dev": DEV, "prod": PROD, "local": LOCAL}
