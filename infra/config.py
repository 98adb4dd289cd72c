"""What an environment is made of: one frozen dataclass, three environments, and overrides from the CDK context.

``cdk synth -c environment=prod -c memory_mb=2048`` selects ``prod`` and overrides one field of it. The module
needs no CDK, so that packaging and local tooling can read the same settings.
"""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Final

from functions.shared.contract import DEFAULT_LOG_LEVEL, DEFAULT_MFA_ISSUER
from infra.settings import Kind, boolean, choice, integer, optional, origin, pattern, several, url

DEV: Final = "dev"
PROD: Final = "prod"
LOCAL: Final = "local"

#: TableV2 needs a region at synth; this one is used when neither the context nor the CDK CLI names one.
FALLBACK_REGION: Final = "us-east-1"

#: The days that CloudWatch Logs offers.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class ConfigError(Exception):
    """The configuration asks for something that does not exist or cannot be; the message is one line."""


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
    memory_mb
        Memory of each function in MiB.
    timeout_seconds
        Time limit of each function, below the 29 seconds that API Gateway waits.
    snap_start
        Start new execution environments from a snapshot of the initialized function.
    retain_data
        Keep table, keys, users and logs when their stack is deleted, protect the table and the user pool
        against deletion, and the stacks against termination.
    api_throttling_rate
        Requests a second that the API lets through.
    api_throttling_burst
        Requests that it lets through at once before the rate counts.
    api_logging_role
        Set API Gateway's account-wide role for writing logs. One per account and region: turn it off where
        the account has one of its own.
    cognito_jwks_base_url
        ``local`` only: where the emulator serves its user pools' keys, as its tokens carry the ``iss`` of AWS.
    """

    environment: str = _setting(choice((DEV, PROD, LOCAL)), DEV)
    account: str | None = _setting(optional(pattern(r"\d{12}", "an account number of 12 digits")), None)
    region: str = _setting(
        pattern(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region such as us-east-1"),
        FALLBACK_REGION,
    )
    mfa_issuer: str = _setting(pattern(r".*\S.*", "a name that is not blank"), DEFAULT_MFA_ISSUER)
    jwt_issuer: str | None = _setting(optional(url()), None)
    jwt_audience: tuple[str, ...] = _setting(several(pattern(r"\S+", "an audience without spaces")), ())
    jwt_jwks_url: str | None = _setting(optional(url()), None)
    required_scope: str | None = _setting(optional(pattern(r"\S+", "one scope")), None)
    cors_allowed_origins: tuple[str, ...] = _setting(several(origin()), ("http://localhost:3000",))
    log_level: str = _setting(choice(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")), DEFAULT_LOG_LEVEL)
    log_retention_days: int = _setting(choice(_RETENTION_DAYS), 30)
    architecture: str = _setting(choice(("arm64", "x86_64")), "arm64")
    # Lambda gives CPU in proportion to memory: 1769 MiB is one core. The work is CPU (TLS, JSON, the QR code),
    # so that half the memory takes about twice the time and costs the same.
    memory_mb: int = _setting(integer(128, 10240), 1024)
    # The SDK clients' own timeouts and retries end well before it: a slow service is answered with 503, not
    # with a function that was cut off.
    timeout_seconds: int = _setting(integer(1, 29), 20)
    snap_start: bool = _setting(boolean(), True)
    retain_data: bool = _setting(boolean(), False)
    api_throttling_rate: int = _setting(integer(1, 10_000), 50)
    api_throttling_burst: int = _setting(integer(1, 5_000), 100)
    api_logging_role: bool = _setting(boolean(), True)
    cognito_jwks_base_url: str | None = _setting(optional(url()), None)


ENVIRONMENTS: Final[Mapping[str, Config]] = {
    DEV: Config(environment=DEV),
    PROD: Config(
        environment=PROD,
        cors_allowed_origins=("https://ailifestyle.app",),
        log_retention_days=365,
        retain_data=True,
        api_throttling_rate=500,
        api_throttling_burst=1000,
    ),
    LOCAL: Config(
        environment=LOCAL,
        log_retention_days=1,
        # The emulator runs the functions on this very machine.
        architecture="arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64",
        api_throttling_rate=500,
        api_throttling_burst=1000,
        cognito_jwks_base_url="http://127.0.0.1:4566",
    ),
}


def load_config(context: Mapping[str, Any], process_environment: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration that a CDK context asks for.

    Parameters
    ----------
    context
        The app's context. Keys that look like a name (``memory_mb``) are settings; feature flags and cached
        look-ups, which carry a ``/``, ``:`` or ``@``, are not looked at.
    process_environment
        Where the CDK CLI leaves ``CDK_DEFAULT_REGION``.

    Raises
    ------
    ConfigError
        An unknown setting, a value that is not as expected, or settings that exclude each other.
    """
    given = {name: _text(value) for name, value in context.items() if re.fullmatch(r"[\w.-]+", name)}
    kinds: dict[str, Kind[Any]] = {each.name: each.metadata["kind"] for each in fields(Config)}
    for name in given:
        if name not in kinds:
            near = get_close_matches(name, kinds, n=1)
            expected = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(kinds)}"
            raise ConfigError(f"{name}: no such setting, {expected}")
    given.setdefault("environment", DEV)
    given.setdefault("region", process_environment.get("CDK_DEFAULT_REGION") or FALLBACK_REGION)
    values = {name: _parse(name, text, kinds[name]) for name, text in given.items()}
    config = replace(ENVIRONMENTS[values["environment"]], **values)
    _check(config)
    return config


def _text(value: object) -> str:
    """Return a context value as the command line would give it: ``cdk.json`` may hold JSON's own types."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    return str(value)


def _parse(name: str, text: str, kind: Kind[Any]) -> Any:  # noqa: ANN401 (of the field's own type)
    try:
        return kind.parse(text)
    except ValueError:
        raise ConfigError(f"{name}: expected {kind.expected}, got {text!r}") from None


def _check(config: Config) -> None:
    """Refuse settings that are fine one by one but not together."""
    companions = {"jwt_jwks_url": "the issuer's jwks_uri", "jwt_audience": "at least one audience"}
    for name, expected in companions.items():
        if config.jwt_issuer and not getattr(config, name):
            raise ConfigError(f"{name}: expected {expected}, as jwt_issuer is set")
        if not config.jwt_issuer and getattr(config, name):
            raise ConfigError(f"{name}: expected nothing, as jwt_issuer is not set")
    if config.environment != LOCAL:
        _check_deployed(config)


def _check_deployed(config: Config) -> None:
    """Refuse what only the emulator needs."""
    for name in ("jwt_issuer", "jwt_jwks_url"):
        value = getattr(config, name)
        if value and not value.startswith("https://"):
            raise ConfigError(f"{name}: expected an https:// URL in {config.environment}, got {value!r}")
    if config.cognito_jwks_base_url:
        raise ConfigError(f"cognito_jwks_base_url: expected nothing in {config.environment}, it is for local alone")
