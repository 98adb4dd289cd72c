"""What an environment is made of: one frozen dataclass, three environments, and overrides from the CDK context.

``cdk synth -c environment=prod -c memory_mb=2048`` selects ``prod`` and overrides one field of it;
``-c config=prod.toml`` takes fields from a file. The module needs no CDK, so that packaging and local tooling can
read the same settings.
"""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from functions.shared.contract import DEFAULT_EVENT_BUS_NAME, DEFAULT_LOG_LEVEL, DEFAULT_MFA_ISSUER
from infra.config.monitoring import BY_ENVIRONMENT, MonitoringConfig
from infra.config_checks import check
from infra.monitoring_settings import MONITORING, MONITORING_KINDS, with_settings
from infra.settings import (
    REGION,
    ConfigError,
    Kind,
    arn,
    boolean,
    choice,
    domain,
    integer,
    optional,
    origin,
    pattern,
    several,
    url,
)
from infra.settings_file import read_settings_file, text_of

__all__ = [
    "ALL_AT_ONCE",
    "DEV",
    "ENVIRONMENTS",
    "FALLBACK_REGION",
    "LOCAL",
    "PROD",
    "Config",
    "ConfigError",
    "load_config",
]

DEV: Final = "dev"
PROD: Final = "prod"
LOCAL: Final = "local"

ZIP: Final = "zip"
IMAGE: Final = "image"

#: TableV2 needs a region at synth; this one is used when neither the context nor the CDK CLI names one.
FALLBACK_REGION: Final = "us-east-1"

#: The days that CloudWatch Logs offers.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


#: How CodeDeploy moves an alias to a new version, by the names of its own configurations for Lambda.
# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
ALL_AT_ONCE: Final = "all-at-once"
_TRAFFIC_SHIFTS: Final = (
    ALL_AT_ONCE,
    *(f"canary-10-percent-{minutes}-minutes" for minutes in (5, 10, 15, 30)),
    "linear-10-percent-every-1-minute",
    *(f"linear-10-percent-every-{minutes}-minutes" for minutes in (2, 3, 10)),
)

_KEY_ARN: Final = arn(
    "kms",
    "key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    "key/1234abcd-12ab-34cd-56ef-1234567890ab",
)
_REGION: Final = pattern(REGION, "an AWS region such as us-east-1")


def _setting[T](kind: Kind[T], default: T) -> T:
    """Declare a field with its kind; typed as its value, as ``dataclasses.field`` is."""
    return field(default=default, metadata={"kind": kind})


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one environment. Defaults are those of ``dev``; every field can be overridden.

    Attributes
    ----------
    environment
        ``dev``, ``prod`` or ``local``; part of every stack's, function's and table's name.
    account
        The AWS account, 12 digits. Left out, it is the account of whoever deploys, and the templates are the
        same with and without credentials.
    region
        The AWS region. Left out, it is the one that the CDK CLI is configured for, else ``us-east-1``.
    mfa_issuer
        The name that an authenticator app shows above the code.
    jwt_issuer
        ``iss`` of the access tokens, to use an OIDC issuer that exists. Left out, the identity stack makes a
        Cognito user pool.
    jwt_audience
        Accepted ``aud`` (or Cognito ``client_id``) values; needed with ``jwt_issuer``.
    jwt_jwks_url
        The issuer's ``jwks_uri``, where its signing keys are; needed with ``jwt_issuer``.
    required_scope
        A scope that an access token must carry, else 403; left out, none is asked for.
    cors_allowed_origins
        Web origins whose pages may call the API; empty, no page may.
    log_level
        Level of the functions' logs.
    log_retention_days
        Days until a log line is deleted; one of those that CloudWatch Logs offers.
    architecture
        Instruction set of the functions: ``arm64`` or ``x86_64``.
    packaging
        What is deployed: a ``zip``, built here, or an ``image``, built with Docker by whoever deploys. The emulator
        of ``local`` runs zips alone.
    memory_mb
        Memory of each function in MiB.
    timeout_seconds
        Time limit of each function, below the 29 seconds that API Gateway waits.
    snap_start
        Start new execution environments from a snapshot of the initialized function.
    traffic_shift
        How a new version of a function takes over. With anything but ``all-at-once`` CodeDeploy does it step by
        step, and goes back when the function fails or the API answers 5xx.
    retain_data
        Keep table, keys, users and logs when their stack is deleted, protect the table and the user pool
        against deletion, and the stacks against termination.
    users_table_name
        A DynamoDB table that exists, in the same account and region, to use instead of a new one. Its keys must
        be the strings ``pk`` and ``sk``.
    users_table_key_arn
        The customer managed KMS key that this table is encrypted with, if it is.
    users_table_stream_arn
        This table's stream of old and new images. Without it no security events are published.
    event_bus
        Name or ARN of the EventBridge bus that security events go to.
    secret_key_arn
        A symmetric KMS key that exists, to seal the TOTP secrets with instead of a new one. An ARN of the key
        itself, not of an alias: the Encryption SDK opens with no other.
    multi_region_key
        Make the new key a multi-region key. A key cannot become one later: turn it on from the first deployment
        if there may ever be a second region. On wherever there are replica regions.
    replica_regions
        Other regions that the new table and the new key are replicated to.
    domain_name
        The API's own domain; without one it has the URL that API Gateway gives it.
    certificate_arn
        A certificate of AWS Certificate Manager for the domain, in the same region. Left out, one is made, which
        the hosted zone then proves.
    hosted_zone_id, hosted_zone_name
        The Route 53 zone in which the domain's record is made; left out, whoever runs the DNS makes it.
    api_throttling_rate
        Requests a second that the API lets through.
    api_throttling_burst
        Requests that it lets through at once before the rate counts.
    api_enrolment_throttling_rate, api_enrolment_throttling_burst
        The same for each of the routes that a user needs once in a while: all but verify and status.
    api_logging_role
        Set API Gateway's account-wide role for writing logs. One per account and region: turn it off where
        the account has one of its own.
    waf
        Put AWS WAF in front of the API.
    waf_requests_per_ip
        Requests in five minutes from one address after which WAF refuses more from it. Where a login server
        calls the API for its users, all of them come from its address.
    cognito_jwks_base_url
        ``local`` only: where the emulator serves its user pools' keys, as its tokens carry the ``iss`` of AWS.
    monitoring
        Alarms and who hears of them; its fields are set as ``monitoring.paging``, ``monitoring.thresholds.errors``.
    """

    environment: str = _setting(choice((DEV, PROD, LOCAL)), DEV)
    account: str | None = _setting(optional(pattern(r"\d{12}", "an account number of 12 digits")), None)
    region: str = _setting(_REGION, FALLBACK_REGION)
    mfa_issuer: str = _setting(pattern(r".*\S.*", "a name that is not blank"), DEFAULT_MFA_ISSUER)
    jwt_issuer: str | None = _setting(optional(url()), None)
    jwt_audience: tuple[str, ...] = _setting(several(pattern(r"\S+", "an audience without spaces")), ())
    jwt_jwks_url: str | None = _setting(optional(url()), None)
    required_scope: str | None = _setting(optional(pattern(r"\S+", "one scope")), None)
    cors_allowed_origins: tuple[str, ...] = _setting(several(origin()), ("http://localhost:3000",))
    log_level: str = _setting(choice(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")), DEFAULT_LOG_LEVEL)
    log_retention_days: int = _setting(choice(_RETENTION_DAYS), 30)
    architecture: str = _setting(choice(("arm64", "x86_64")), "arm64")
    packaging: str = _setting(choice((ZIP, IMAGE)), ZIP)
    # Lambda gives CPU in proportion to memory: 1769 MiB is one core. The work is CPU (TLS, JSON, the QR code),
    # so that half the memory takes about twice the time and costs the same.
    memory_mb: int = _setting(integer(128, 10240), 1024)
    # The SDK clients' own timeouts and retries end well before it: a slow service is answered with 503, not
    # with a function that was cut off.
    timeout_seconds: int = _setting(integer(1, 29), 20)
    snap_start: bool = _setting(boolean(), True)
    traffic_shift: str = _setting(choice(_TRAFFIC_SHIFTS), ALL_AT_ONCE)
    retain_data: bool = _setting(boolean(), False)
    users_table_name: str | None = _setting(
        optional(pattern(r"[A-Za-z0-9_.-]{3,255}", "the name of a DynamoDB table")), None
    )
    users_table_key_arn: str | None = _setting(optional(_KEY_ARN), None)
    users_table_stream_arn: str | None = _setting(
        optional(
            arn("dynamodb", r"table/[A-Za-z0-9_.-]+/stream/[\d:.T-]+", "table/users/stream/2026-01-01T00:00:00.000")
        ),
        None,
    )
    event_bus: str = _setting(
        pattern(
            rf"[A-Za-z0-9_./-]{{1,256}}|arn:aws[a-z-]*:events:{REGION}:\d{{12}}:event-bus/[A-Za-z0-9_./-]{{1,256}}",
            "the name or ARN of an EventBridge bus",
        ),
        DEFAULT_EVENT_BUS_NAME,
    )
    secret_key_arn: str | None = _setting(optional(_KEY_ARN), None)
    multi_region_key: bool = _setting(boolean(), False)
    replica_regions: tuple[str, ...] = _setting(several(_REGION), ())
    domain_name: str | None = _setting(optional(domain()), None)
    certificate_arn: str | None = _setting(
        optional(arn("acm", "certificate/[a-z0-9-]+", "certificate/1234abcd-12ab-34cd-56ef-1234567890ab")), None
    )
    hosted_zone_id: str | None = _setting(
        optional(pattern("Z[A-Z0-9]{1,31}", "a hosted zone's id such as Z0123456789ABCDEFGHIJ")), None
    )
    hosted_zone_name: str | None = _setting(optional(domain()), None)
    api_throttling_rate: int = _setting(integer(1, 100_000), 50)
    api_throttling_burst: int = _setting(integer(1, 100_000), 100)
    api_enrolment_throttling_rate: int = _setting(integer(1, 100_000), 10)
    api_enrolment_throttling_burst: int = _setting(integer(1, 100_000), 20)
    api_logging_role: bool = _setting(boolean(), True)
    waf: bool = _setting(boolean(), False)
    waf_requests_per_ip: int = _setting(integer(10, 2_000_000_000), 1000)
    cognito_jwks_base_url: str | None = _setting(optional(url()), None)
    monitoring: MonitoringConfig = field(default=BY_ENVIRONMENT[DEV])


ENVIRONMENTS: Final[Mapping[str, Config]] = {
    DEV: Config(environment=DEV),
    PROD: Config(
        environment=PROD,
        cors_allowed_origins=("https://ailifestyle.app",),
        log_retention_days=365,
        traffic_shift="canary-10-percent-5-minutes",
        retain_data=True,
        api_throttling_rate=500,
        api_throttling_burst=1000,
        api_enrolment_throttling_rate=100,
        api_enrolment_throttling_burst=200,
        waf=True,
        monitoring=BY_ENVIRONMENT[PROD],
    ),
    LOCAL: Config(
        environment=LOCAL,
        log_retention_days=1,
        # The emulator runs the functions on this very machine.
        architecture="arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64",
        api_throttling_rate=500,
        api_throttling_burst=1000,
        api_enrolment_throttling_rate=500,
        api_enrolment_throttling_burst=1000,
        monitoring=BY_ENVIRONMENT[LOCAL],
        cognito_jwks_base_url="http://127.0.0.1:4566",
    ),
}


#: The setting that names a file of settings.
_FILE: Final = "config"


def load_config(context: Mapping[str, Any], process_environment: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration that a CDK context asks for.

    Parameters
    ----------
    context
        The app's context. Keys that look like a name (``memory_mb``) are settings; feature flags and cached
        look-ups, which carry a ``/``, ``:`` or ``@``, are not looked at. ``config`` names a file of settings, over
        which those of the context win.
    process_environment
        Where the CDK CLI leaves ``CDK_DEFAULT_REGION``.

    Raises
    ------
    ConfigError
        An unknown setting, a value that is not as expected, or settings that exclude each other.
    """
    given = {name: text_of(value) for name, value in context.items() if re.fullmatch(r"[\w.-]+", name)}
    if file := given.pop(_FILE, ""):
        given = {name: text_of(value) for name, value in read_settings_file(Path(file)).items()} | given
    kinds: dict[str, Kind[Any]] = {each.name: each.metadata["kind"] for each in fields(Config) if each.metadata}
    for name in given:
        if name not in kinds and name not in MONITORING_KINDS:
            near = get_close_matches(name, [*kinds, *MONITORING_KINDS], n=1)
            expected = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(kinds)}, {MONITORING}.*"
            raise ConfigError(f"{name}: no such setting, {expected}")
    given.setdefault("environment", DEV)
    given.setdefault("region", process_environment.get("CDK_DEFAULT_REGION") or FALLBACK_REGION)
    values = {name: kinds[name].read(name, text) for name, text in given.items() if name in kinds}
    start = ENVIRONMENTS[values["environment"]]
    config = replace(start, **values, monitoring=with_settings(start.monitoring, given))
    check(config, deployed=config.environment != LOCAL)
    return config
