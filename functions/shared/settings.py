"""Environment variables of the functions, read once at start-up into typed values.

An invalid or missing variable raises `ConfigurationError`, which names it. The function then fails at init, before
its first request, so that the deployment that broke it fails.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self, get_args

from functions.shared import formats
from functions.shared.contract import (
    DEFAULT_EVENT_BUS_NAME,
    DEFAULT_JWT_ALGORITHMS,
    DEFAULT_JWT_LABEL_CLAIMS,
    DEFAULT_JWT_LEEWAY_SECONDS,
    DEFAULT_JWT_USER_CLAIM,
    DEFAULT_LOG_LEVEL,
    DEFAULT_MFA_ISSUER,
    DEFAULT_PROOF_LIFETIME_SECONDS,
    DEFAULT_SERVICE_VERSION,
    DEFAULT_USERS_TABLE_NAME,
    Env,
)

PRODUCTION: Final = "prod"

_ENVIRONMENT: Final = "[a-z][a-z0-9-]{0,30}"
_VERSION: Final = r"[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]{0,40}"
_LOG_LEVELS: Final = get_args(formats.LogLevel)
_RAW_KEY_PREFIX = "raw:"
_RAW_KEY_BYTES = 32


class ConfigurationError(Exception):
    """An environment variable is missing or invalid.

    Parameters
    ----------
    variable : str
        Its name.
    expected : str
        What a valid value looks like. The value itself is left out, because it may be a key.
    """

    def __init__(self, variable: str, expected: str) -> None:
        super().__init__(f"environment variable {variable}: {expected}")
        self.variable = variable


def _read(environ: Mapping[str, str], variable: Env, default: str | None = None) -> str:
    value = environ.get(variable, "").strip() or default
    if value is None:
        raise ConfigurationError(variable, "is required")
    return value


def _matching(environ: Mapping[str, str], variable: Env, pattern: str, expected: str, **default: str) -> str:
    value = _read(environ, variable, **default)
    if not re.fullmatch(pattern, value):
        raise ConfigurationError(variable, f"expected {expected}")
    return value


def _seconds(environ: Mapping[str, str], variable: Env, allowed: range, **default: str) -> int:
    value = _read(environ, variable, **default)
    if not re.fullmatch("[0-9]{1,6}", value) or int(value) not in allowed:
        raise ConfigurationError(variable, f"expected whole seconds from {allowed[0]} to {allowed[-1]}")
    return int(value)


def _comma_separated(environ: Mapping[str, str], variable: Env) -> tuple[str, ...]:
    return tuple(part.strip() for part in environ.get(variable, "").split(",") if part.strip())


def read_environment(environ: Mapping[str, str]) -> str:
    """Return the deployment environment, such as ``dev`` or ``prod``."""
    return _matching(environ, Env.ENVIRONMENT, _ENVIRONMENT, "a name such as dev or prod")


def read_log_level(environ: Mapping[str, str]) -> str:
    """Return the level of the function's own log lines."""
    level = _read(environ, Env.LOG_LEVEL, DEFAULT_LOG_LEVEL).upper()
    if level not in _LOG_LEVELS:
        raise ConfigurationError(Env.LOG_LEVEL, f"expected one of {', '.join(_LOG_LEVELS)}")
    return level


def read_version(environ: Mapping[str, str]) -> str:
    """Return the version of the service, which every log line has."""
    return _matching(environ, Env.SERVICE_VERSION, _VERSION, "a version such as 1.2.3", default=DEFAULT_SERVICE_VERSION)


def read_table_name(environ: Mapping[str, str]) -> str:
    """Return the name of the DynamoDB table."""
    return _matching(
        environ, Env.USERS_TABLE_NAME, formats.TABLE_NAME, "a DynamoDB table name", default=DEFAULT_USERS_TABLE_NAME
    )


def read_event_bus_name(environ: Mapping[str, str]) -> str:
    """Return the name or ARN of the EventBridge bus that security events go to."""
    expected = "the name or ARN of an EventBridge bus"
    return _matching(environ, Env.EVENT_BUS_NAME, formats.EVENT_BUS, expected, default=DEFAULT_EVENT_BUS_NAME)


def read_mfa_issuer(environ: Mapping[str, str]) -> str:
    """Return the name that authenticator apps show for this service."""
    issuer = _read(environ, Env.MFA_ISSUER, DEFAULT_MFA_ISSUER)
    if not formats.is_display_name(issuer):
        raise ConfigurationError(Env.MFA_ISSUER, "expected printable text")
    return issuer


@dataclass(frozen=True)
class KmsKey:
    """A KMS key by its ARN: the key that encrypts TOTP secrets, or one that signs proofs."""

    arn: str

    @property
    def key_id(self) -> str:
        """The key's id: the same for the replicas of a multi-region key."""
        return self.arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        """The key's region, where its client sends requests."""
        return self.arn.split(":")[3]


@dataclass(frozen=True)
class RawKey:
    """A 256-bit key for development without KMS. Its ``repr`` hides the value."""

    key: bytes = field(repr=False)


def read_encryption_key(environ: Mapping[str, str]) -> KmsKey | RawKey:
    """Return the key of ``MFA_ENCRYPTION_KEY``.

    Raises
    ------
    ConfigurationError
        The value is neither a KMS key ARN nor ``raw:`` and base64 of 32 bytes, or it is raw in production.
    """
    value = _read(environ, Env.MFA_ENCRYPTION_KEY)
    if not value.startswith(_RAW_KEY_PREFIX):
        if not re.fullmatch(formats.KMS_KEY_ARN, value):
            raise ConfigurationError(Env.MFA_ENCRYPTION_KEY, "expected the ARN of a KMS key (not of an alias)")
        return KmsKey(value)
    if read_environment(environ) == PRODUCTION:
        raise ConfigurationError(Env.MFA_ENCRYPTION_KEY, "a raw key is for development; in prod use a KMS key ARN")
    try:
        key = base64.b64decode(value.removeprefix(_RAW_KEY_PREFIX), validate=True)
    except ValueError:
        key = b""
    if len(key) != _RAW_KEY_BYTES:
        raise ConfigurationError(Env.MFA_ENCRYPTION_KEY, f"expected raw: and base64 of {_RAW_KEY_BYTES} bytes")
    return RawKey(key)


def read_kms_keys(environ: Mapping[str, str], variable: Env) -> tuple[KmsKey, ...]:
    """Return the KMS keys of a variable that lists their ARNs, separated by commas."""
    arns = _comma_separated(environ, variable)
    if not arns or not all(re.fullmatch(formats.KMS_KEY_ARN, arn) for arn in arns):
        raise ConfigurationError(variable, "expected ARNs of KMS keys (not of aliases)")
    return tuple(map(KmsKey, arns))


def read_proof_issuer(environ: Mapping[str, str]) -> str:
    """Return the ``iss`` of proofs: the API's public base URL."""
    issuer = _read(environ, Env.PROOF_ISSUER)
    if not formats.split_url(issuer).hostname or issuer.endswith("/"):
        raise ConfigurationError(Env.PROOF_ISSUER, "expected a URL without a slash at its end")
    return issuer


@dataclass(frozen=True)
class ProofSettings:
    """The claims of a proof that are configured, and the key that signs it.

    Attributes
    ----------
    audience : str
        Its ``aud``.
    issuer : str
        Its ``iss``.
    lifetime_seconds : int
        How long it is valid at most.
    key : KmsKey
        The key that signs it.
    """

    audience: str
    issuer: str
    lifetime_seconds: int
    key: KmsKey

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self | None:
        """Read the settings; return None if proofs are off.

        Raises
        ------
        ConfigurationError
            Proofs are on, and a variable is missing or invalid.
        """
        audience = environ.get(Env.PROOF_AUDIENCE, "").strip()
        if not audience:
            return None
        shortest, longest = formats.PROOF_LIFETIME_SECONDS
        lifetime = _seconds(
            environ,
            Env.PROOF_LIFETIME_SECONDS,
            range(shortest, longest + 1),
            default=str(DEFAULT_PROOF_LIFETIME_SECONDS),
        )
        keys = read_kms_keys(environ, Env.PROOF_KEY)
        if len(keys) > 1:
            raise ConfigurationError(Env.PROOF_KEY, "expected the ARN of one KMS key")
        return cls(audience=audience, issuer=read_proof_issuer(environ), lifetime_seconds=lifetime, key=keys[0])


@dataclass(frozen=True)
class EndpointSettings:
    """The settings of every function behind a route."""

    environment: str
    log_level: str
    cors_allowed_origins: tuple[str, ...]
    required_scope: str | None
    version: str = DEFAULT_SERVICE_VERSION

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid.
        """
        origins = _comma_separated(environ, Env.CORS_ALLOWED_ORIGINS)
        for fault in filter(None, map(formats.origin_fault, origins)):
            raise ConfigurationError(Env.CORS_ALLOWED_ORIGINS, f"expected {fault}")
        return cls(
            environment=read_environment(environ),
            log_level=read_log_level(environ),
            cors_allowed_origins=origins,
            required_scope=environ.get(Env.MFA_REQUIRED_SCOPE, "").strip() or None,
            version=read_version(environ),
        )


@dataclass(frozen=True)
class AuthorizerSettings:
    """The settings of the JWT authorizer: the issuer that it trusts, and which of its tokens it accepts.

    Attributes
    ----------
    issuer : str
        The exact ``iss``.
    audience : tuple of str
        Accepted ``aud`` values; for a token with ``token_use: access`` and no ``aud`` (Cognito), accepted
        ``client_id`` values.
    jwks_url : str
        The URL of the issuer's keys.
    algorithms : tuple of str
        Accepted ``alg`` headers.
    user_claim : str
        The claim that identifies the user.
    label_claims : tuple of str
        The claims that authenticator apps may show, in order of preference.
    leeway_seconds : int
        For ``nbf`` and ``iat``, which the issuer's clock has just written. ``exp`` gets none.
    max_auth_age_seconds : int or None
        The oldest login (``auth_time``) with which second factors may be added, replaced or removed; None for any.
    """

    environment: str
    log_level: str
    issuer: str
    audience: tuple[str, ...]
    jwks_url: str
    algorithms: tuple[str, ...] = DEFAULT_JWT_ALGORITHMS
    user_claim: str = DEFAULT_JWT_USER_CLAIM
    label_claims: tuple[str, ...] = DEFAULT_JWT_LABEL_CLAIMS
    leeway_seconds: int = DEFAULT_JWT_LEEWAY_SECONDS
    max_auth_age_seconds: int | None = None
    version: str = DEFAULT_SERVICE_VERSION

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid. Signing keys require https, except on the loopback interface.
        """
        audience = _comma_separated(environ, Env.JWT_AUDIENCE)
        if not audience:
            raise ConfigurationError(Env.JWT_AUDIENCE, "expected at least one audience or client id")
        environment = read_environment(environ)
        jwks_url = _read(environ, Env.JWT_JWKS_URL)
        parts = formats.split_url(jwks_url)
        on_loopback = parts.hostname in ("127.0.0.1", "localhost", "::1") and environment != PRODUCTION
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and on_loopback)):
            raise ConfigurationError(Env.JWT_JWKS_URL, "expected an https URL")
        algorithms = _comma_separated(environ, Env.JWT_ALGORITHMS) or DEFAULT_JWT_ALGORITHMS
        known = get_args(formats.JwtAlgorithm)
        if not set(algorithms) <= set(known):
            raise ConfigurationError(Env.JWT_ALGORITHMS, f"expected some of {', '.join(known)}")
        leeway = _seconds(
            environ,
            Env.JWT_LEEWAY_SECONDS,
            range(formats.MAX_JWT_LEEWAY_SECONDS + 1),
            default=str(DEFAULT_JWT_LEEWAY_SECONDS),
        )
        max_auth_age = None
        if environ.get(Env.JWT_MAX_AUTH_AGE_SECONDS, "").strip():
            ages = range(formats.MIN_AUTH_AGE_SECONDS, formats.MAX_AUTH_AGE_SECONDS + 1)
            max_auth_age = _seconds(environ, Env.JWT_MAX_AUTH_AGE_SECONDS, ages)
        return cls(
            environment=environment,
            log_level=read_log_level(environ),
            issuer=_read(environ, Env.JWT_ISSUER),
            audience=audience,
            jwks_url=jwks_url,
            algorithms=algorithms,
            user_claim=_read(environ, Env.JWT_USER_CLAIM, DEFAULT_JWT_USER_CLAIM),
            label_claims=_comma_separated(environ, Env.JWT_LABEL_CLAIMS) or DEFAULT_JWT_LABEL_CLAIMS,
            leeway_seconds=leeway,
            max_auth_age_seconds=max_auth_age,
            version=read_version(environ),
        )
