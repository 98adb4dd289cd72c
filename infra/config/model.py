"""The settings of one environment, and the rules between them.

``cdk synth -c environment=prod -c memory_mb=2048`` selects ``prod`` and overrides one setting;
``-c config=prod.toml`` takes settings from a file.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from functions.shared.contract import (
    DEFAULT_EVENT_BUS_NAME,
    DEFAULT_JWT_ALGORITHMS,
    DEFAULT_JWT_LABEL_CLAIMS,
    DEFAULT_JWT_LEEWAY_SECONDS,
    DEFAULT_JWT_USER_CLAIM,
    DEFAULT_LOG_LEVEL,
    DEFAULT_MFA_ISSUER,
    DEFAULT_PROOF_LIFETIME_SECONDS,
    STAGE_NAME,
)
from functions.shared.formats import (
    ALL_ORIGINS,
    MAX_AUTH_AGE_SECONDS,
    MAX_JWT_LEEWAY_SECONDS,
    MIN_AUTH_AGE_SECONDS,
    PROOF_LIFETIME_SECONDS,
    JwtAlgorithm,
    LogLevel,
)
from infra.config import fields
from infra.config.fields import ConfigError, Settings, expected
from infra.config.functions import FunctionConfig, FunctionsConfig, Memory
from infra.config.monitoring import MonitoringConfig

DEV: Final = "dev"
PROD: Final = "prod"
LOCAL: Final = "local"

ZIP: Final = "zip"
IMAGE: Final = "image"

#: TableV2 needs a region at synth; this one is used when neither the context nor the CDK CLI names one.
FALLBACK_REGION: Final = "us-east-1"

#: A new version takes over at once.
ALL_AT_ONCE: Final = "all-at-once"
#: How CodeDeploy moves an alias to a new version, by the names of its own configurations for Lambda.
# https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
TrafficShift = Literal[
    "all-at-once",
    "canary-10-percent-5-minutes",
    "canary-10-percent-10-minutes",
    "canary-10-percent-15-minutes",
    "canary-10-percent-30-minutes",
    "linear-10-percent-every-1-minute",
    "linear-10-percent-every-2-minutes",
    "linear-10-percent-every-3-minutes",
    "linear-10-percent-every-10-minutes",
]

#: The days that CloudWatch Logs offers.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
# fmt: off
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
]
# fmt: on

#: Lambda offers SnapStart for Python in every other commercial region.
# https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html, "Supported features and limitations"
_WITHOUT_SNAP_START: Final = ("ap-east-2", "ap-southeast-6")

Throttle = Annotated[int, Field(ge=1, le=100_000)]


class Config(Settings):
    """The settings of one environment. The defaults are those of ``dev``; ``environments.py`` has the others.

    Raises
    ------
    ConfigError
        On construction: an invalid value, or settings that contradict each other.
    """

    environment: Literal["dev", "prod", "local"] = DEV
    """Part of every stack's, function's and table's name."""
    account: fields.Account | None = None
    """The AWS account. Not set: the account of the deployment's credentials, which templates do not contain."""
    region: fields.Region = FALLBACK_REGION
    """The AWS region. Not set: the CDK CLI's region, else ``us-east-1``."""
    mfa_issuer: fields.DisplayName = DEFAULT_MFA_ISSUER
    """The name that an authenticator app shows above the code."""
    jwt_issuer: fields.Url | None = None
    """``iss`` of the access tokens of an existing OIDC issuer. Not set: the identity stack creates a user pool."""
    jwt_audience: tuple[Annotated[fields.Word, expected("an audience without spaces")], ...] = ()
    """Accepted ``aud`` (or Cognito ``client_id``) values; required with ``jwt_issuer``."""
    jwt_jwks_url: fields.UrlWithQuery | None = None
    """The issuer's ``jwks_uri``, where its signing keys are; required with ``jwt_issuer``."""
    jwt_algorithms: Annotated[tuple[JwtAlgorithm, ...], Field(min_length=1)] = DEFAULT_JWT_ALGORITHMS
    """Signature algorithms of access tokens that are accepted."""
    jwt_user_claim: fields.Claim = DEFAULT_JWT_USER_CLAIM
    """The claim that identifies a user. It must never change for a user; see ``docs/issuers.md``."""
    jwt_user_claim_confirmed: fields.Claim | None = None
    """The same as ``jwt_user_claim``, where that is not ``sub``: confirms that no user loses a second factor by it."""
    jwt_label_claims: Annotated[tuple[fields.Claim, ...], Field(min_length=1)] = DEFAULT_JWT_LABEL_CLAIMS
    """Claims that an authenticator app may show as the account's name, in order of preference."""
    jwt_leeway_seconds: Annotated[int, Field(ge=0, le=MAX_JWT_LEEWAY_SECONDS)] = DEFAULT_JWT_LEEWAY_SECONDS
    """Tolerated clock difference for ``nbf`` and ``iat``; ``exp`` gets none."""
    required_scope: Annotated[fields.Word, expected("one scope")] | None = None
    """A scope that an access token must have, else 403. Not set: no scope is required."""
    proof_audience: fields.ProofAudience | None = None
    """``aud`` of the signed proof of a second factor. Not set: no proof, no key and no public route."""
    proof_lifetime_seconds: Annotated[int, Field(ge=PROOF_LIFETIME_SECONDS[0], le=PROOF_LIFETIME_SECONDS[1])] = (
        DEFAULT_PROOF_LIFETIME_SECONDS
    )
    """How long a proof is valid; never longer than the access token."""
    proof_keys: Annotated[tuple[fields.ProofKey, ...], Field(min_length=1, max_length=3)] = ("key-1",)
    """Keys of the proof, by name or as ARNs of existing ones: all are published, the first signs."""
    cors_allowed_origins: tuple[fields.Origin, ...] = ("http://localhost:3000",)
    """Origins whose pages may call the API, as browsers send them; ``*`` for all."""
    cors_allowed_headers: tuple[fields.HeaderName, ...] = ()
    """Request headers that pages may send, besides Authorization, Content-Type and those of tracing."""
    log_level: LogLevel = DEFAULT_LOG_LEVEL
    """Level of the functions' logs."""
    log_retention_days: RetentionDays = 30
    """Days until a log line is deleted."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Instruction set of the functions."""
    packaging: Literal["zip", "image"] = ZIP
    """``image`` is built with Docker during the deployment. ``local`` supports ``zip`` only."""
    # Lambda gives CPU in proportion to memory: 1769 MiB is one core. Most of a request is waiting for AWS, and a cached
    # snapshot is charged by memory (docs/adr/0074).
    memory_mb: Memory = 512
    """Memory of each function in MiB, unless ``functions`` has another value for it."""
    # The SDK clients' timeouts and retries end well before it, so that a slow dependency results in a 503 and not
    # in a terminated function.
    timeout_seconds: Annotated[int, Field(ge=1, le=29)] = 20
    """Time limit of each function; API Gateway waits 29 seconds."""
    snap_start: bool = False
    """Start new execution environments from a snapshot of the initialized function. Its cache costs money at rest."""
    functions: FunctionsConfig = FunctionsConfig()
    """Settings of single functions; set as ``functions.verify_mfa.memory_mb``, ``functions.verify_mfa.snap_start``."""
    traffic_shift: TrafficShift = ALL_AT_ONCE
    """How a new version takes over. Step by step, CodeDeploy rolls back if a function fails or the API returns 5xx."""
    retain_data: bool = False
    """Keep table, keys, users and logs when their stack is deleted, and protect table, user pool and stacks."""
    users_table_name: fields.TableName | None = None
    """An existing table of the same account and region, whose keys are the strings ``pk`` and ``sk``."""
    users_table_key_arn: fields.KeyArn | None = None
    """The customer managed KMS key of the existing table, if it has one."""
    users_table_stream_arn: fields.StreamArn | None = None
    """The existing table's stream of old and new images. Not set: no security events are published."""
    event_bus: fields.EventBus | None = DEFAULT_EVENT_BUS_NAME
    """The EventBridge bus that receives security events. Not set: a new bus, ``mfa-ENVIRONMENT-security-events``."""
    secret_key_arn: fields.KeyArn | None = None
    """An existing symmetric KMS key to encrypt TOTP secrets with; never an alias, which the SDK cannot decrypt with."""
    import_principals: tuple[fields.Principal, ...] = ()
    """Roles or users who may seal secrets with the new key besides the functions, for an import; ``*`` matches any."""
    multi_region_key: bool = False
    """Create a multi-region key; a key cannot become one later. Always on if there are replica regions."""
    replica_regions: tuple[fields.Region, ...] = ()
    """Other regions to which the new table and the new key are replicated."""
    domain_name: fields.Domain | None = None
    """The API's own domain. Not set: the URL that API Gateway assigns."""
    certificate_arn: fields.CertificateArn | None = None
    """The domain's certificate, in the same region. Not set: one is created and validated in the hosted zone."""
    hosted_zone_id: fields.HostedZoneId | None = None
    """The Route 53 zone that gets the domain's record. Not set: you create the record."""
    hosted_zone_name: fields.Domain | None = None
    """The name of the same zone."""
    api_throttling_rate: Throttle = 50
    """Requests per second that the API accepts."""
    api_throttling_burst: Throttle = 100
    """Requests that it accepts at once before the rate applies."""
    api_enrolment_throttling_rate: Throttle = 10
    """The rate of each route that a user rarely needs: all but verify and status."""
    api_enrolment_throttling_burst: Throttle = 20
    """The burst of each of these routes."""
    api_logging_role: bool = True
    """Set API Gateway's account-wide role for writing logs. Turn it off if the account and region have one."""
    standby: bool = False
    """Close the API: every route returns 503. For a second region while another one serves the users."""
    max_auth_age_seconds: Annotated[int, Field(ge=MIN_AUTH_AGE_SECONDS, le=MAX_AUTH_AGE_SECONDS)] | None = None
    """Setup, disable and backup-codes require a login (``auth_time``) of at most this age. Not set: any age."""
    waf: bool = False
    """Put AWS WAF in front of the API."""
    waf_requests_per_token: Annotated[int, Field(ge=10, le=2_000_000_000)] = 100
    """Requests in five minutes after which WAF blocks an ``Authorization`` header, from all addresses together."""
    waf_requests_per_ip: Annotated[int, Field(ge=10, le=2_000_000_000)] = 1000
    """Requests in five minutes after which WAF blocks an address. A login server sends all users' from its own."""
    cognito_jwks_base_url: fields.Url | None = None
    """``local`` only: where the emulator serves its user pools' keys, because its tokens have the ``iss`` of AWS."""
    execute_api_base_url: fields.Url | None = None
    """``local`` only: where the emulator serves its APIs. It becomes the issuer of the proofs."""
    monitoring: MonitoringConfig = MonitoringConfig()
    """Alarms and who is notified; set as ``monitoring.paging``, ``monitoring.thresholds.errors``."""

    def memory_of(self, function: str) -> int:
        """Return the memory of a function in MiB."""
        return self._own(function).memory_mb or self.memory_mb

    def snap_start_of(self, function: str) -> bool:
        """Return whether a function starts from a snapshot."""
        own = self._own(function).snap_start
        return self.snap_start if own is None else own

    def _own(self, function: str) -> FunctionConfig:
        own: FunctionConfig = getattr(self.functions, function)
        return own

    @model_validator(mode="after")
    def _dependent_settings_have_what_they_need(self) -> Self:
        for name, needed in (
            ("jwt_jwks_url", "jwt_issuer"),
            ("jwt_audience", "jwt_issuer"),
            ("users_table_key_arn", "users_table_name"),
            ("users_table_stream_arn", "users_table_name"),
            ("certificate_arn", "domain_name"),
            ("hosted_zone_id", "domain_name"),
            ("hosted_zone_name", "domain_name"),
        ):
            if getattr(self, name) and not getattr(self, needed):
                raise ConfigError(f"{name}: expected nothing, as {needed} is not set")
        for name, needed, what in (
            ("jwt_issuer", "jwt_jwks_url", "the issuer's jwks_uri"),
            ("jwt_issuer", "jwt_audience", "at least one audience"),
            ("hosted_zone_id", "hosted_zone_name", "the zone's"),
            ("hosted_zone_name", "hosted_zone_id", "the zone's"),
        ):
            if getattr(self, name) and not getattr(self, needed):
                raise ConfigError(f"{needed}: expected {what}, as {name} is set")
        return self

    @model_validator(mode="after")
    def _all_origins_include_each(self) -> Self:
        if ALL_ORIGINS in self.cors_allowed_origins and len(self.cors_allowed_origins) > 1:
            given = ",".join(self.cors_allowed_origins)
            raise ConfigError(f"cors_allowed_origins: expected only * or only full names, got {given!r}")
        return self

    @model_validator(mode="after")
    def _user_claim_is_confirmed(self) -> Self:
        # Synthesis cannot know what is deployed. A claim that changes gives every user a new id, and a login that
        # asks for a code only where MFA is enabled would let them all in without one.
        if self.jwt_user_claim != DEFAULT_JWT_USER_CLAIM and self.jwt_user_claim_confirmed != self.jwt_user_claim:
            raise ConfigError(
                f"jwt_user_claim_confirmed: expected {self.jwt_user_claim}, got {self.jwt_user_claim_confirmed!r}: "
                "users who enrolled under another claim lose their second factor, see docs/issuers.md"
            )
        return self

    @model_validator(mode="after")
    def _environment_supports_the_settings(self) -> Self:
        if self.environment == LOCAL:
            if self.packaging != ZIP:
                raise ConfigError(f"packaging: expected zip in {LOCAL}, got {self.packaging!r}")
            return self
        # The issuer is only compared, and AD FS names itself with http; the keys are fetched.
        if self.jwt_jwks_url and not self.jwt_jwks_url.startswith("https://"):
            raise ConfigError(
                f"jwt_jwks_url: expected an https:// URL in {self.environment}, got {self.jwt_jwks_url!r}"
            )
        for name in ("cognito_jwks_base_url", "execute_api_base_url"):
            if getattr(self, name):
                raise ConfigError(f"{name}: expected nothing in {self.environment}, it is for local only")
        return self

    @model_validator(mode="after")
    def _region_offers_the_settings(self) -> Self:
        functions = [name for name in type(self.functions).model_fields if self.snap_start_of(name)]
        if functions and self.region in _WITHOUT_SNAP_START:
            name = "snap_start" if self.snap_start else f"functions.{functions[0]}.snap_start"
            raise ConfigError(f"{name}: expected false in {self.region}, where Lambda does not offer SnapStart")
        return self

    @model_validator(mode="after")
    def _existing_resources_fit(self) -> Self:
        stream = self.users_table_stream_arn
        if stream and f":table/{self.users_table_name}/stream/" not in stream:
            raise ConfigError(
                f"users_table_stream_arn: expected a stream of the table {self.users_table_name}, got {stream!r}"
            )
        named = ("users_table_key_arn", "users_table_stream_arn", "secret_key_arn", "certificate_arn")
        given = [(name, getattr(self, name)) for name in named]
        given += [("proof_keys", each) for each in self.proof_keys if _is_arn(each)]
        for name, arn in given:
            if arn and arn.split(":")[3] != self.region:
                raise ConfigError(f"{name}: expected an ARN of region {self.region}, got {arn!r}")
            # These keys may belong to another account, which grants this one their use.
            own = name not in {"secret_key_arn", "proof_keys"}
            if arn and self.account and arn.split(":")[4] != self.account and own:
                raise ConfigError(f"{name}: expected an ARN of account {self.account}, got {arn!r}")
        return self

    @model_validator(mode="after")
    def _only_new_resources_are_replicated(self) -> Self:
        if self.secret_key_arn and self.multi_region_key:
            raise ConfigError("multi_region_key: expected false, as secret_key_arn names an existing key")
        if self.region in self.replica_regions:
            raise ConfigError(f"replica_regions: expected regions other than {self.region}, which has the original")
        if len(set(self.replica_regions)) < len(self.replica_regions):
            raise ConfigError(f"replica_regions: expected each region once, got {','.join(self.replica_regions)!r}")
        for name in ("users_table_name", "secret_key_arn"):
            if self.replica_regions and getattr(self, name):
                raise ConfigError(f"replica_regions: expected none, as {name} is set: replicate that one yourself")
        return self

    @model_validator(mode="after")
    def _proofs_are_not_access_tokens(self) -> Self:
        if len(set(self.proof_keys)) < len(self.proof_keys):
            raise ConfigError(f"proof_keys: expected each key once, got {','.join(self.proof_keys)!r}")
        if self.proof_audience is None:
            return self
        if self.proof_audience in self.jwt_audience:
            raise ConfigError(
                f"proof_audience: expected another audience than jwt_audience, got {self.proof_audience!r}: "
                "an API for proofs must not accept access tokens"
            )
        own_url = f"https://{self.domain_name}/{STAGE_NAME}"
        if self.domain_name and self.jwt_issuer and self.jwt_issuer.rstrip("/") == own_url:
            raise ConfigError(
                f"jwt_issuer: expected another issuer than this API, got {self.jwt_issuer!r}: "
                "a proof must not be an access token here"
            )
        return self

    @model_validator(mode="after")
    def _domain_has_a_certificate(self) -> Self:
        zone = self.hosted_zone_name
        if self.domain_name and zone and not f".{self.domain_name}".endswith(f".{zone}"):
            raise ConfigError(f"domain_name: expected a name in the zone {zone}, got {self.domain_name!r}")
        if self.domain_name and not (self.certificate_arn or zone):
            raise ConfigError(
                "certificate_arn: expected a certificate for domain_name, or a hosted zone to create one with"
            )
        return self

    @property
    def new_proof_keys(self) -> tuple[str, ...]:
        """The names of the keys to create for the proof; none if proofs are off."""
        return tuple(each for each in self.proof_keys if not _is_arn(each)) if self.proof_audience else ()


def _is_arn(key: str) -> bool:
    return key.startswith("arn:")
