"""Formats of values that the infrastructure's settings and the functions' variables both check.

Each is written once, so that a value accepted at synthesis is accepted at start-up. Standard library only. Patterns
describe the whole value; they keep to the syntax that Python and Pydantic's Rust engine share.
"""

import re
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

#: Signature algorithms of access tokens that can be configured (RFC 7518 section 3.1, RFC 8037 section 3.1).
JwtAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
#: Longest tolerated clock difference for ``nbf`` and ``iat``.
MAX_JWT_LEEWAY_SECONDS: Final = 300
#: Shortest and longest lifetime of a proof.
PROOF_LIFETIME_SECONDS: Final = (30, 3600)
#: Shortest and longest configurable age of a login. A user needs some seconds between the login and the request.
MIN_AUTH_AGE_SECONDS: Final = 30
MAX_AUTH_AGE_SECONDS: Final = 86_400
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


ALL_ORIGINS: Final = "*"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: Schemes that no origin can have: their pages have the origin ``null``, or there are no such pages. Apps' web views
#: use other schemes.
_WITHOUT_ORIGIN: Final = frozenset({"file", "ftp", "ws", "wss", "data", "blob", "javascript"})
_HOST: Final = r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]"


def origin_fault(value: str) -> str | None:
    """Return what to write instead of a value that no browser sends as ``Origin``, worded to follow "expected".

    Returns None for ``*`` and for an origin as browsers serialize it (RFC 6454 section 6.2): scheme and host in lower
    case, the port unless it is the scheme's default, and nothing else. Besides http and https, the schemes of apps are
    accepted, such as ``capacitor://localhost``.
    """
    if value == ALL_ORIGINS:
        return None
    if "*" in value:
        return "each origin by its full name, because browsers know no patterns, or * for all origins"
    parts = split_url(value)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    if host and not host.isascii():
        return "the host in the form that browsers send, which begins with xn--"
    if not parts.scheme or parts.scheme in _WITHOUT_ORIGIN or not re.fullmatch(_HOST, host):
        return "an origin such as https://app.example.com, or *"
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    origin = f"{parts.scheme}://{host}{port}"
    return None if value == origin else f"{origin}, as browsers send it"


#: A header's name. RFC 9110 section 5.6.2 allows more characters; a quote would end a literal of API Gateway.
HEADER_NAME: Final = "[A-Za-z][A-Za-z0-9_.-]*"


def is_display_name(value: str) -> bool:
    """Return whether an authenticator app can show a value: printable and not blank."""
    return value.isprintable() and not value.isspace() and value != ""
