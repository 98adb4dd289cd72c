"""Lines of an import file: the user and secret that each names, or why it is refused. Without side effects."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qs, urlsplit

MAX_LINE_BYTES: Final = 4096
MIN_SECRET_BITS: Final = 80
#: NIST SP 800-63B-4 section 3.1.4.1 requires at least the strength of 112 bits.
RECOMMENDED_SECRET_BITS: Final = 112
#: Longer keys are hashed before use (RFC 2104), which not every authenticator app does.
MAX_SECRET_BITS: Final = 512
MAX_USER_ID_LENGTH: Final = 255


class LineRefusal(StrEnum):
    """Why a line is refused, without quoting the line."""

    TOO_LONG = f"the line is longer than {MAX_LINE_BYTES} bytes"
    NOT_JSON = "the line is not a JSON object in UTF-8"
    MEMBERS = "expected the members user_id and either otpauth or secret, all strings"
    USER_ID = f"user_id must have 1 to {MAX_USER_ID_LENGTH} printable ASCII characters, without spaces around it"
    NOT_TOTP = "otpauth must be a URI of the form otpauth://totp/NAME?secret=SECRET"
    ALGORITHM = "the algorithm is not SHA1"
    DIGITS = "the codes do not have 6 digits"
    PERIOD = "the period is not 30 seconds"
    NOT_BASE32 = "the secret is not base32"
    SHORT = f"the secret has fewer than {MIN_SECRET_BITS} bits"
    LONG = f"the secret has more than {MAX_SECRET_BITS} bits"


class LineRefusedError(ValueError):
    """A line that cannot be imported."""

    def __init__(self, refusal: LineRefusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(frozen=True)
class ImportedUser:
    """A user of another system.

    Attributes
    ----------
    user_id : str
        The `sub` of the user's tokens.
    secret : str
        Base32 in whole groups of eight characters: padded, as the functions decode it.
    bits : int
        The length of the key.
    """

    user_id: str
    secret: str = field(repr=False)
    bits: int

    @property
    def weak(self) -> bool:
        """Whether the key is shorter than recommended."""
        return self.bits < RECOMMENDED_SECRET_BITS


def is_user_id(text: str) -> bool:
    """Return whether a text can be a user's id: the authorizer refuses all others."""
    return 0 < len(text) <= MAX_USER_ID_LENGTH and text.isascii() and text.isprintable() and text.strip() == text


def numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers; of a line that is too long, the beginning."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if line.strip():
            yield number, line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 1)


def parse_line(line: bytes) -> ImportedUser:
    """Return the user and the secret in a line: ``{"user_id", "otpauth"}`` or ``{"user_id", "secret"}``.

    Raises
    ------
    LineRefusedError
        The line has another form, or the secret cannot be used.
    """
    if len(line) > MAX_LINE_BYTES:
        raise LineRefusedError(LineRefusal.TOO_LONG)
    match _parsed(line):
        case {"user_id": str(user_id), "otpauth": str(uri), **others} if not others:
            text = _secret_of(uri)
        case {"user_id": str(user_id), "secret": str(text), **others} if not others:
            pass
        case _:
            raise LineRefusedError(LineRefusal.MEMBERS)
    if not is_user_id(user_id):
        raise LineRefusedError(LineRefusal.USER_ID)
    key = _key(text)
    return ImportedUser(user_id, base64.b32encode(key).decode(), 8 * len(key))


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise LineRefusedError(LineRefusal.NOT_JSON) from None
    return parsed


def _secret_of(uri: str) -> str:
    """Return the secret in a Key URI whose other parameters are the ones that this service uses."""
    try:
        parts = urlsplit(uri.strip())
        parameters = {name.lower(): values for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    except ValueError:
        raise LineRefusedError(LineRefusal.NOT_TOTP) from None
    if (parts.scheme.lower(), parts.netloc.lower()) != ("otpauth", "totp") or len(parameters.get("secret", ())) != 1:
        raise LineRefusedError(LineRefusal.NOT_TOTP)
    for name, expected, refusal in (
        ("algorithm", "SHA1", LineRefusal.ALGORITHM),
        ("digits", "6", LineRefusal.DIGITS),
        ("period", "30", LineRefusal.PERIOD),
    ):
        if [value.upper() for value in parameters.get(name, [expected])] != [expected]:
            raise LineRefusedError(refusal)
    return parameters["secret"][0]


def _key(text: str) -> bytes:
    """Return the key of a base32 secret as people write it: in groups, in lower case, with or without padding."""
    letters = re.sub(r"[\s-]", "", text).upper().rstrip("=")
    try:
        key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        raise LineRefusedError(LineRefusal.NOT_BASE32) from None
    if 8 * len(key) < MIN_SECRET_BITS:
        raise LineRefusedError(LineRefusal.SHORT)
    if 8 * len(key) > MAX_SECRET_BITS:
        raise LineRefusedError(LineRefusal.LONG)
    return key
