"""Settings of monitoring: when alarms fire, who is notified, and whether alarms page on-call."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from infra.config.fields import ConfigError, Settings, Word, expected, text

#: Every alarm and every dashboard.
ALL: Final = "all"
#: The six metrics of setup: one alarm for each, and the main dashboard.
SETUP: Final = "setup"

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Percent = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Thresholds(Settings):
    """The value from which each alarm fires: a sum over five minutes unless stated otherwise.

    The defaults suit a service with some thousand users. For a busy one, raise the counts and keep the ratios.
    """

    prefix: ClassVar[str] = "monitoring.thresholds."

    # Requests to the setup route, by result
    setup_attempts: Count = 500
    setup_successes: Count = 300
    setup_already_enabled: Count = 100
    setup_unauthorized: Count = 100
    # Failures of one route
    errors: Count = 5  # responses with status 503
    system_errors: Count = 1  # responses with status 500
    error_ratio_percent: Percent = 5  # share of responses that are 500 or 503
    ratio_minimum_requests: Count = 20  # with fewer requests a ratio counts as zero, because it would be noise
    setups_without_success: Count = 5  # failed attempts within 15 minutes (409 excluded) without a success
    verifications_without_success: Count = 30  # the same for logins; higher, because wrong codes are normal
    # Signs of an attack, over all routes
    invalid_codes: Count = 100
    replays: Count = 10
    lockouts: Count = 10
    backup_codes_used: Count = 20
    conflicts: Count = 50
    insufficient_scope: Count = 50
    unauthorized: Count = 200  # responses with status 401, setup excluded
    decryptions_unaccounted: Count = 10  # Decrypt calls on the secret key that no function counted
    signatures_unaccounted: Count = 10  # Sign calls on the proof's keys that no function counted
    # Dependencies
    jwks_fetch_failures: Count = 3  # failed fetches of the token issuer's keys
    event_failures: Count = 3  # failed attempts to publish a security event
    event_delay_minutes: Count = 10  # age of the oldest security event not yet published
    # Platform
    api_5xx_percent: Percent = 2  # share of the gateway's responses
    api_4xx_percent: Percent = 50
    api_latency_p99_ms: Count = 3000  # 99th percentile of the end-to-end latency
    function_errors: Count = 1  # crashes and time-outs, over all functions
    function_throttles: Count = 1  # refused invocations, over all functions
    duration_percent_of_timeout: Percent = 80  # longest invocation as a share of its function's time-out
    concurrency: Count = 800  # in the whole account and region: about 80 % of the quota, which is 1000 by default
    table_throttles: Count = 5  # DynamoDB requests refused for capacity
    table_system_errors: Count = 5  # DynamoDB requests that failed inside DynamoDB


class MonitoringConfig(Settings):
    """The monitoring of one environment."""

    prefix: ClassVar[str] = "monitoring."

    coverage: Literal["all", "setup"] = ALL
    """Which alarms and dashboards are deployed. ``setup``: one alarm for each metric of setup, and one dashboard."""
    alert_emails: tuple[Word, ...] = ()
    """Notified when any alarm starts or ends. AWS asks each address to confirm first."""
    paging: bool = False
    """Whether the composite alarm pages on-call. Its children only notify."""
    page_urls: tuple[Word, ...] = ()
    """HTTPS endpoints of a pager service that takes CloudWatch alarms from SNS."""
    page_emails: tuple[Word, ...] = ()
    """Notified of pages only."""
    runbook_url: Annotated[str, text(r"[^\s#]+", "an address without fragment")] = "docs/runbook.md"
    """Address of the runbook: the start of every link in alarms and on the dashboard."""
    quiet_hours: Annotated[int | None, Field(ge=1, le=24), expected("1 to 24")] = None
    """Hours without a request after which an alarm fires. Not set: silence is normal."""
    thresholds: Thresholds = Thresholds()
    """When alarms fire."""

    @model_validator(mode="after")
    def _recipients_can_be_reached(self) -> Self:
        for name in ("alert_emails", "page_emails"):
            for address in getattr(self, name):
                if "@" not in address:
                    raise ConfigError(f"monitoring.{name}: expected an e-mail address, got {address!r}")
        for url in self.page_urls:
            if not url.startswith("https://"):
                raise ConfigError(f"monitoring.page_urls: expected an https:// address, got {url!r}")
        if not self.paging and (self.page_urls or self.page_emails):
            raise ConfigError("monitoring.paging: expected true where page_urls or page_emails are given")
        return self

    @model_validator(mode="after")
    def _alarms_are_deployed(self) -> Self:
        for name in ("paging", "quiet_hours"):
            if self.coverage == SETUP and getattr(self, name):
                raise ConfigError(f"monitoring.coverage: expected {ALL}, as {name} is set, got {self.coverage!r}")
        return self

    @property
    def notifies(self) -> bool:
        """Whether alarms report to a topic. With few alarms and no subscriber, its key would only cost money."""
        return self.coverage == ALL or bool(self.alert_emails)

    def runbook_link(self, heading: str) -> str:
        """Return the address of one heading of the runbook."""
        return f"{self.runbook_url}#{heading}"
