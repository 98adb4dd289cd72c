"""What the route returns, and the Key URI that an authenticator app reads from the QR code."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from functions.shared.response_body import ResponseBody

MAX_ISSUER_LENGTH: Final = 96
MAX_ACCOUNT_LENGTH: Final = 384
_ELLIPSIS: Final = "…"
_SKIN_TONES: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
#: The regional indicators of Unicode: a pair of them is a flag.
_REGIONAL_INDICATORS: Final = frozenset(map(chr, range(0x1F1E6, 0x1F200)))


@dataclass(frozen=True)
class SetupResponse(ResponseBody):
    """Body of the 200 response."""

    description = "The secret of the new enrolment. It is shown only here."

    secret: str = field(
        repr=False,
        metadata={
            "description": "The TOTP secret for manual entry: 32 base32 characters, no padding.",
            "pattern": "^[A-Z2-7]{32}$",
        },
    )
    qr_code: str = field(
        repr=False,
        metadata={
            "description": "A PNG of the QR code as a data URI (RFC 2397).",
            "pattern": "^data:image/png;base64,[A-Za-z0-9+/]+=*$",
        },
    )


@dataclass(frozen=True)
class KeyUri:
    """A TOTP secret in the Key URI format: ``otpauth://totp/Issuer:account?secret=…&issuer=Issuer``.

    Algorithm, digits and period are left out: they have the default values (SHA1, 6, 30), and some apps refuse a URI
    that spells them out. Issuer and account are percent-encoded (RFC 3986), never with ``+``. Text that a Key URI
    cannot contain is changed by these rules, in this order:

    1. Unicode is normalised to NFC; control and other unprintable characters count as white space, and runs of white
       space become one space.
    2. A colon separates the two parts, so neither may contain one: it becomes ``-``.
    3. A part whose encoding is longer than its limit (issuer 96, account 384 characters) is cut after the last
       whole character that fits, with its accents and emoji modifiers, and ends with ``…``. So the QR code never
       grows past version 20.

    Parameters
    ----------
    issuer, account : str
        Any text; the app shows it.
    secret : str
        Base32, without padding.
    """

    issuer: str
    account: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        """Return the URI."""
        issuer = _encoded(self.issuer, MAX_ISSUER_LENGTH)
        account = _encoded(self.account, MAX_ACCOUNT_LENGTH)
        return f"otpauth://totp/{issuer}:{account}?secret={self.secret}&issuer={issuer}"


def _encoded(text: str, limit: int) -> str:
    normalised = unicodedata.normalize("NFC", text).replace(":", "-")
    cleaned = " ".join("".join(char if char.isprintable() else " " for char in normalised).split())
    encoded = quote(cleaned, safe="", errors="replace")
    if len(encoded) <= limit:
        return encoded
    room = limit - len(quote(_ELLIPSIS))
    kept = ""
    for cluster in _clusters(cleaned):
        piece = quote(cluster, safe="", errors="replace")
        if len(kept) + len(piece) > room:
            break
        kept += piece
    return kept + quote(_ELLIPSIS)


def _clusters(text: str) -> Iterator[str]:
    """Split text into user-perceived characters (Unicode Annex 29, as far as printable text needs it)."""
    cluster = ""
    for char in text:
        mark = unicodedata.category(char).startswith("M")
        half_a_flag = char in _REGIONAL_INDICATORS and len(cluster) == 1 and cluster in _REGIONAL_INDICATORS
        if cluster and not (mark or char in _SKIN_TONES or half_a_flag):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster
