"""Formats of values that the infrastructure's settings and the functions' variables both check.

Each is written once, so that a value accepted at synthesis is accepted at start-up. Standard library only. Patterns
describe the whole value; they keep to the syntax that Python and Pydantic's Rust engine share.
"""

from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

#: Signature algorithms of access tokens that can be configured (RFC 7518 section 3.1, RFC 8037 section 3.1).
JwtAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
#: Longest tolerated clock difference for ``nbf`` and ``iat``.
MAX_JWT_LEEWAY_SECONDS: Final = 300
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

REGION: Final = "[a-z]{2,4}(-[a-z]+)+-[0-9]"
TABLE_NAME: Final = "[A-Za-z0-9_.-]{3,255}"
_BUS_NAME: Final = "[A-Za-z0-9_./-]{1,256}"


def arn(service: str, resource: str) -> str:
    """Return the pattern of an ARN; ``resource`` is the pattern of what follows the account."""
    return f"arn:aws[a-z-]*:{service}:{REGION}:[0-9]{{12}}:{resource}"


#: A bus by name or ARN.
EVENT_BUS: Final = f"{_BUS_NAME}|{arn('events', f'event-bus/{_BUS_NAME}')}"
#: The resource of a key's ARN. Never an alias: the Encryption SDK decrypts only with the ARN of the key itself.
KMS_KEY: Final = "key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
KMS_KEY_ARN: Final = arn("kms", KMS_KEY)


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL; a malformed one has only empty parts."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def is_origin(value: str) -> bool:
    """Return whether a value is ``*`` or a web origin (RFC 6454): scheme, host and optional port."""
    parts = split_url(value)
    return value == "*" or (
        parts.scheme in {"http", "https"} and value == f"{parts.scheme}://{parts.netloc}" and bool(parts.hostname)
    )


def is_display_name(value: str) -> bool:
    """Return whether an authenticator app can show a value: printable and not blank."""
    return value.isprintable() and not value.isspace() and value != ""
