"""The names that callers, operators and infrastructure rely on, each written once.

The functions and the CDK app import it, so it uses only the standard library and does nothing on import. Renaming
anything that is defined here breaks a caller, a dashboard or a stored item.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final


class Env(StrEnum):
    """Environment variables of the functions: set by the service stack, read by ``functions.shared.settings``."""

    USERS_TABLE_NAME = "USERS_TABLE_NAME"
    MFA_ENCRYPTION_KEY = "MFA_ENCRYPTION_KEY"
    ENVIRONMENT = "ENVIRONMENT"
    LOG_LEVEL = "LOG_LEVEL"
    SERVICE_VERSION = "SERVICE_VERSION"
    MFA_ISSUER = "MFA_ISSUER"
    MFA_REQUIRED_SCOPE = "MFA_REQUIRED_SCOPE"
    CORS_ALLOWED_ORIGINS = "CORS_ALLOWED_ORIGINS"
    JWT_ISSUER = "JWT_ISSUER"
    JWT_AUDIENCE = "JWT_AUDIENCE"
    JWT_JWKS_URL = "JWT_JWKS_URL"
    JWT_ALGORITHMS = "JWT_ALGORITHMS"
    JWT_USER_CLAIM = "JWT_USER_CLAIM"
    JWT_LABEL_CLAIMS = "JWT_LABEL_CLAIMS"
    JWT_LEEWAY_SECONDS = "JWT_LEEWAY_SECONDS"
    JWT_MAX_AUTH_AGE_SECONDS = "JWT_MAX_AUTH_AGE_SECONDS"
    PROOF_AUDIENCE = "PROOF_AUDIENCE"
    PROOF_ISSUER = "PROOF_ISSUER"
    PROOF_LIFETIME_SECONDS = "PROOF_LIFETIME_SECONDS"
    PROOF_KEY = "PROOF_KEY"
    PROOF_KEYS = "PROOF_KEYS"
    EVENT_BUS_NAME = "EVENT_BUS_NAME"
    DEAD_LETTER_QUEUE_URL = "DEAD_LETTER_QUEUE_URL"


DEFAULT_USERS_TABLE_NAME: Final = "users"
DEFAULT_MFA_ISSUER: Final = "AILifestyle"
DEFAULT_LOG_LEVEL: Final = "INFO"
#: The version in log lines of functions that no stack deployed, such as in tests.
DEFAULT_SERVICE_VERSION: Final = "0.0.0"

DEFAULT_JWT_ALGORITHMS: Final = ("RS256", "ES256")
DEFAULT_JWT_USER_CLAIM: Final = "sub"
#: Claims that authenticator apps may show, in order of preference. The last resort is the user's id.
DEFAULT_JWT_LABEL_CLAIMS: Final = (
    *("email", "preferred_username", "upn", "unique_name", "username", "cognito:username"),
)
DEFAULT_JWT_LEEWAY_SECONDS: Final = 30


class AuthorizerContext(StrEnum):
    """Keys of the authorizer's context: ``event["requestContext"]["authorizer"]`` and ``$context.authorizer.*``.

    API Gateway passes every value on as a string.
    """

    USER_ID = "user_id"
    LABEL = "label"
    SCOPE = "scope"
    SUBJECT = "subject"
    EXPIRES_AT = "expires_at"
    CLIENT_ID = "client_id"
    SESSION_ID = "session_id"
    TIMESTAMP = "timestamp"
    CHALLENGE = "challenge"  # of a refusal: the value of its WWW-Authenticate


# -- storage ---------------------------------------------------------------------------------------------------

ENTITY_TYPE: Final = "MFA_SECRET"
SORT_KEY: Final = "MFA#SECRET"


def partition_key(user_id: str) -> str:
    """Return the partition key of a user's item: ``USER#{user_id}``."""
    return f"USER#{user_id}"


def item_key(user_id: str) -> dict[str, Any]:
    """Return the primary key of a user's item, in DynamoDB's form."""
    return {Attribute.PK: {"S": partition_key(user_id)}, Attribute.SK: {"S": SORT_KEY}}


class Attribute(StrEnum):
    """Attributes of a user's only item in the table, with their DynamoDB types.

    Times are ISO-8601 UTC in seconds with ``Z``, except ``expires_at``, the table's TTL attribute: epoch seconds.
    """

    PK = "pk"  # S  USER#{user_id}
    SK = "sk"  # S  MFA#SECRET
    ENTITY_TYPE = "entity_type"  # S  MFA_SECRET
    STATUS = "status"  # S  PENDING | ENABLED; an item of an older deployment has none and counts as enabled
    ENCRYPTED_SECRET = "encrypted_secret"  # S  base64 of the Encryption SDK message
    IV = "iv"  # S  base64 of that message's body IV; informative only, decryption does not read it
    BACKUP_CODES = "backup_codes"  # L of S  keyed hashes of the unused codes
    BACKUP_CODES_USED = "backup_codes_used"  # L of S  keyed hashes of the used codes
    BACKUP_CODES_SALT = "backup_codes_salt"  # S  base64 of the salt of the codes
    CREATED_AT = "created_at"  # S
    UPDATED_AT = "updated_at"  # S
    ENABLED_AT = "enabled_at"  # S
    EXPIRES_AT = "expires_at"  # N  pending enrolments only
    LAST_USED_STEP = "last_used_step"  # N  the last accepted TOTP time step (RFC 6238 T)
    FAILED_ATTEMPTS = "failed_attempts"  # N  consecutive wrong TOTP codes
    LAST_FAILED_AT = "last_failed_at"  # S
    BACKUP_FAILED_ATTEMPTS = "backup_failed_attempts"  # N  consecutive wrong backup codes
    BACKUP_LAST_FAILED_AT = "backup_last_failed_at"  # S
    LAST_REQUEST_ID = "last_request_id"  # S  API Gateway's id of the last request that wrote the item
    VERSION = "version"  # N  for compare-and-swap; each write draws a new random number


#: The attributes of a pending enrolment, in the order in which setup writes them. Its role may write only these.
PENDING_ATTRIBUTES: Final = (
    Attribute.PK,
    Attribute.SK,
    Attribute.ENTITY_TYPE,
    Attribute.STATUS,
    Attribute.ENCRYPTED_SECRET,
    Attribute.IV,
    Attribute.BACKUP_CODES,
    Attribute.BACKUP_CODES_USED,
    Attribute.BACKUP_CODES_SALT,
    Attribute.CREATED_AT,
    Attribute.UPDATED_AT,
    Attribute.EXPIRES_AT,
    Attribute.VERSION,
)


class Status(StrEnum):
    """Values of the ``status`` attribute."""

    PENDING = "PENDING"
    ENABLED = "ENABLED"


#: TOTP codes: the length of a time step (RFC 6238), and the steps accepted before and after the current one (section
#: 5.2), at enrolment and at login.
STEP_SECONDS: Final = 30
WINDOW: Final = 1

PENDING_LIFETIME_SECONDS: Final = 600
#: Wrong codes that discard a pending enrolment.
PENDING_MAX_FAILURES: Final = 10
BACKUP_CODE_COUNT: Final = 8
#: With this number of backup codes or fewer, a response has `ResponseWarning.BACKUP_CODES_LOW`.
BACKUP_CODES_LOW_AT: Final = 2

#: Consecutive wrong codes of one factor. From this number on, each locks the factor, twice as long as the one before;
#: at the maximum (NIST SP 800-63B-4 section 3.2.2) it stays locked until an operator unlocks it.
FREE_ATTEMPTS: Final = 5
#: How long after an accepted code the same code is a repetition of its request, which does not count (docs/adr/0006).
REPETITION_SECONDS: Final = 10
FIRST_LOCK_SECONDS: Final = 60
LONGEST_LOCK_SECONDS: Final = 3600
MAX_CONSECUTIVE_FAILURES: Final = 100

#: Encryption context of every stored secret: ``user_id`` and this purpose. Key grants are restricted to it.
ENCRYPTION_CONTEXT_USER_ID: Final = "user_id"
ENCRYPTION_CONTEXT_PURPOSE: Final = "purpose"
SECRET_PURPOSE: Final = "mfa-totp"

# -- the proof -------------------------------------------------------------------------------------------------

DEFAULT_PROOF_LIFETIME_SECONDS: Final = 300
#: The signature of a proof, as JOSE and as KMS name it (RFC 7518 section 3.3). Key grants are restricted to it.
PROOF_ALGORITHM: Final = "RS256"
PROOF_KMS_ALGORITHM: Final = "RSASSA_PKCS1_V1_5_SHA_256"

# -- metrics ---------------------------------------------------------------------------------------------------

METRICS_NAMESPACE: Final = "AILifestyle/MFA"
METRICS_SERVICE: Final = "mfa"
DIMENSION_ENVIRONMENT: Final = "environment"
DIMENSION_SERVICE: Final = "service"


def metric_dimensions(environment: str) -> dict[str, str]:
    """Return the dimensions of every metric; an alarm or widget must name exactly these."""
    return {DIMENSION_ENVIRONMENT: environment, DIMENSION_SERVICE: METRICS_SERVICE}


@dataclass(frozen=True)
class EndpointMetrics:
    """The metrics of one route. Always: attempts = successes + rejections + errors + system_errors.

    ``rejections`` counts the 4xx responses that the route itself decides on: for setup only the 409.
    """

    attempts: str
    successes: str
    rejections: str
    errors: str
    system_errors: str
    unauthorized: str

    def names(self) -> tuple[str, ...]:
        """Return the six metric names, in the order of their declaration."""
        return tuple(getattr(self, field.name) for field in fields(self))


SETUP_METRICS: Final = EndpointMetrics(
    attempts="MFASetupAttempts",
    successes="SuccessfulMFASetups",
    rejections="MFAAlreadyEnabledErrors",
    errors="MFASetupErrors",
    system_errors="MFASetupSystemErrors",
    unauthorized="UnauthorizedMFASetupAttempts",
)


def _family(noun: str) -> EndpointMetrics:
    return EndpointMetrics(
        attempts=f"{noun}Attempts",
        successes=f"Successful{noun}s",
        rejections=f"{noun}Rejections",
        errors=f"{noun}Errors",
        system_errors=f"{noun}SystemErrors",
        unauthorized=f"Unauthorized{noun}Attempts",
    )


class Metric(StrEnum):
    """Metrics that do not belong to a single route."""

    INVALID_CODES = "InvalidMFACodes"  # wrong or already used codes
    REPLAYS_REJECTED = "MFAReplaysRejected"  # among them, the codes that were already used
    LOCKOUTS = "MFALockouts"  # wrong codes that locked their factor
    LOCKED_ATTEMPTS = "MFALockedAttempts"  # 429 because the factor was locked
    BACKUP_CODES_USED = "MFABackupCodesUsed"
    CONFLICTS = "MFAConflicts"  # 409 CONFLICT, because another request was faster
    INSUFFICIENT_SCOPE = "MFAInsufficientScope"  # 403
    SECRET_DECRYPTIONS = "MFASecretDecryptions"  # Decrypt calls on the secret key by the functions
    KEY_FAILURES = "MFAKeyFailures"  # failed calls on the secret key
    PROOF_SIGNATURES = "MFAProofSignatures"  # Sign calls on the proof's key by the functions
    PROOF_SIGNING_FAILURES = "MFAProofSigningFailures"  # failed Sign calls
    JWKS_FETCH_FAILURES = "JWKSFetchFailures"
    SECURITY_EVENTS_PUBLISHED = "SecurityEventsPublished"
    SECURITY_EVENT_FAILURES = "SecurityEventFailures"
    RECORDS_TAMPERED = "MFARecordsTampered"  # writes to the table that no function of the service makes


# -- routes ----------------------------------------------------------------------------------------------------

STAGE_NAME: Final = "v1"


@dataclass(frozen=True)
class Endpoint:
    """A route's method and path, its function (the folder under ``functions``) and its metrics.

    ``needs_recent_login`` says that the setting ``max_auth_age_seconds`` applies to it.
    """

    function: str
    method: str
    path: str
    metrics: EndpointMetrics
    needs_recent_login: bool = False


SETUP: Final = Endpoint("setup_mfa", "POST", "/auth/mfa/setup", SETUP_METRICS, needs_recent_login=True)
VERIFY_SETUP: Final = Endpoint("verify_mfa_setup", "POST", "/auth/mfa/verify-setup", _family("MFASetupConfirmation"))
VERIFY: Final = Endpoint("verify_mfa", "POST", "/auth/mfa/verify", _family("MFAVerification"))
DISABLE: Final = Endpoint(
    "disable_mfa", "POST", "/auth/mfa/disable", _family("MFADeactivation"), needs_recent_login=True
)
BACKUP_CODES: Final = Endpoint(
    "regenerate_backup_codes",
    "POST",
    "/auth/mfa/backup-codes",
    _family("MFABackupCodesRegeneration"),
    needs_recent_login=True,
)
STATUS: Final = Endpoint("mfa_status", "GET", "/auth/mfa", _family("MFAStatusRead"))

#: The routes that are always deployed; each requires an access token.
ENDPOINTS: Final = (SETUP, VERIFY_SETUP, VERIFY, DISABLE, BACKUP_CODES, STATUS)

SIGNING_KEYS_FUNCTION: Final = "signing_keys"
_SIGNING_KEYS: Final = _family("MFASigningKeysRead")
OPENID_CONFIGURATION: Final = Endpoint(SIGNING_KEYS_FUNCTION, "GET", "/.well-known/openid-configuration", _SIGNING_KEYS)
JWKS: Final = Endpoint(SIGNING_KEYS_FUNCTION, "GET", "/.well-known/jwks.json", _SIGNING_KEYS)

#: The public routes of one function, deployed only with the proof: they take no access token.
PROOF_ENDPOINTS: Final = (OPENID_CONFIGURATION, JWKS)
#: The functions that sign proofs or publish the keys that verify them.
PROOF_FUNCTIONS: Final = (VERIFY_SETUP.function, VERIFY.function, SIGNING_KEYS_FUNCTION)
#: How long clients and caches may keep the response of a public route.
PUBLIC_MAX_AGE_SECONDS: Final = 3600

AUTHORIZER_FUNCTION: Final = "jwt_authorizer"
SECURITY_EVENTS_FUNCTION: Final = "security_events"


def lambda_name(function: str, environment: str) -> str:
    """Return a function's name on AWS: ``setup_mfa`` in ``dev`` is ``setup-mfa-dev``."""
    return f"{function.replace('_', '-')}-{environment}"


def handler_path(function: str) -> str:
    """Return the handler string for Lambda, the tests and the Dockerfile."""
    return f"functions.{function}.handler.lambda_handler"


# -- security events -------------------------------------------------------------------------------------------

#: ``source`` of the events on EventBridge; ``docs/events.md`` lists them.
EVENT_SOURCE: Final = "ailifestyle.mfa"
#: ``version`` in the detail: raised when a member is removed or changes its meaning, not when one is added.
EVENT_VERSION: Final = 1
DEFAULT_EVENT_BUS_NAME: Final = "default"
#: ``last_request_id`` of an item that an operator's command wrote: this prefix and a UUID.
OPERATOR_REQUEST_PREFIX: Final = "operator:"
#: The same of an item that an operator's import created, until the user's first code.
IMPORT_REQUEST_PREFIX: Final = "import:"


class SecurityEventType(StrEnum):
    """``detail-type`` of the events."""

    MFA_ENABLED = "MFAEnabled"
    MFA_DISABLED = "MFADisabled"
    BACKUP_CODE_USED = "BackupCodeUsed"
    BACKUP_CODES_REGENERATED = "BackupCodesRegenerated"
    MFA_LOCKED = "MFALocked"
    MFA_UNLOCKED = "MFAUnlocked"
    MFA_USED_AFTER_FAILURES = "MFAUsedAfterFailures"
    MFA_RECORD_TAMPERED = "MFARecordTampered"


class Actor(StrEnum):
    """Who turned a second factor on or off, as far as the table's stream shows it."""

    USER = "user"  # an enrolment was confirmed, or the item was deleted, as the routes do
    OPERATOR = "operator"  # the item was reset in place, as the operator's command does
    IMPORT = "import"  # the item was created enabled, as the operator's import does
    UNKNOWN = "unknown"  # the item was created enabled or changed in place in another way
    EXPIRY = "expiry"  # DynamoDB's TTL deleted the item; enabled items have no expiry unless another writer adds one


class Factor(StrEnum):
    """Kinds of second factor; each has its own counter and lock."""

    TOTP = "totp"
    BACKUP_CODE = "backup_code"


# -- errors ----------------------------------------------------------------------------------------------------


class ErrorCode(StrEnum):
    """Values of the ``error`` member of an error body."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    INVALID_CODE = "INVALID_CODE"
    UNAUTHORIZED = "UNAUTHORIZED"
    INSUFFICIENT_SCOPE = "INSUFFICIENT_SCOPE"
    MFA_SETUP_NOT_FOUND = "MFA_SETUP_NOT_FOUND"
    MFA_ALREADY_ENABLED = "MFA_ALREADY_ENABLED"
    MFA_NOT_ENABLED = "MFA_NOT_ENABLED"
    CONFLICT = "CONFLICT"
    MFA_SETUP_EXPIRED = "MFA_SETUP_EXPIRED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    # Only the gateway returns these, for requests that reach no function.
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"


class ResponseWarning(StrEnum):
    """Values in the ``warnings`` of a response."""

    BACKUP_CODES_LOW = "BACKUP_CODES_LOW"


UNAUTHORIZED_MESSAGE: Final = "User authentication required"
MFA_ALREADY_ENABLED_MESSAGE: Final = "MFA is already enabled for this account"

#: Headers of every response, whether a function or the gateway makes it.
RESPONSE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Type": "application/json",
    "X-Content-Type-Options": "nosniff",
}
#: The challenge of the gateway's 401.
WWW_AUTHENTICATE: Final = "Bearer"
#: The header of a 403 with the scope that the token lacks.
REQUIRED_SCOPE_HEADER: Final = "Required-Scope"
#: Headers that a browser shows to the calling page, besides the safelisted ones.
#: ``Date`` lets a page measure times by the API's clock instead of its own.
EXPOSED_HEADERS: Final = "Date, Required-Scope, Retry-After, WWW-Authenticate"
#: ``Retry-After`` of a 503, and of the gateway's own 429.
RETRY_AFTER_SECONDS: Final = 2
