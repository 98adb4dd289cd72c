"""Searches what a run wrote down for the secrets, codes and tokens that it used.

Finds a value in upper or lower case, in groups, in base64 and base64url at every offset, in hexadecimal,
percent-encoded; the bytes of a key as Python shows them; and parts of a long value: any 15 characters in a row of a
secret, any 23 of a token. Does not find a value that was hashed, compressed, encrypted, reversed or cut into shorter
pieces.
"""

import base64
import json
import os
import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Final
from urllib.parse import quote

from functions.shared.contract import AuthorizerContext

#: A long value is searched for in parts of this many characters.
_PART: Final = 12
#: The length of the shortest needle: a TOTP code in base64 at an odd offset. Needles are indexed by their beginning.
_BEGINNING: Final = 7
_CONTEXT: Final = 60

#: Codes such as 111111 and AAAA-0000 are made up by tests, and the account number of the emulated AWS is all zeros.
_TOTP_CODE: Final = re.compile(r"(?!(\d)\1{5})[0-9]{6}")
_BACKUP_CODE: Final = re.compile(r"(?!([A-Z])\1{3}(\d)\2{3})[A-Z]{4}[0-9]{4}")
_TOKEN: Final = re.compile(r"[\w-]{16,4096}(\.[\w-]{16,4096}){2}", re.ASCII)
#: Six digits that are neither a fraction nor part of a longer number, as in times.
_SIX_DIGITS: Final = re.compile(r"(?<![\w-])(?<!\d[.,:])(\d{3})[ -]?(\d{3})(?![\w-])", re.ASCII)


class Kind(StrEnum):
    """What must not be written down."""

    SECRET = "TOTP secret"
    QR_CODE = "QR code"
    TOTP_CODE = "TOTP code"
    BACKUP_CODE = "backup code"
    TOKEN = "token"
    LABEL = "label"


@dataclass(frozen=True)
class Used:
    """A value that was used, and the test that used it first."""

    kind: Kind
    value: str
    test: str


@dataclass(frozen=True)
class Leak:
    """A value that was found where it must not be."""

    used: Used
    form: str
    place: str
    excerpt: str

    def __str__(self) -> str:
        return f"{self.used.kind} of {self.used.test}, {self.form}, in {self.place}: ...{self.excerpt}..."


class Ledger:
    """Records the secrets that tests use, and the responses that they get.

    Attributes
    ----------
    used : dict
        Every value with its kind and the test that used it first.
    lately : dict
        The values that were used since the running test began.
    answers : list of tuple
        Where each response came from, and its text without the secrets that it is meant to return.
    """

    def __init__(self) -> None:
        self.used: dict[str, Used] = {}
        self.lately: dict[str, Used] = {}
        self.answers: list[tuple[str, str]] = []

    def add(self, kind: Kind, value: str) -> None:
        """Record a value."""
        if value:
            self.lately[value] = self.used.setdefault(value, Used(kind, value, running_test()))

    def add_token(self, token: str) -> None:
        """Record a token, unless it is too short to be one: short strings occur elsewhere too."""
        if _TOKEN.fullmatch(token):
            self.add(Kind.TOKEN, token)

    def add_request(self, body: object) -> None:
        """Record the codes in the body of a request: text, bytes or parsed JSON."""
        sent = _parsed(body)
        for name, kind, form in (
            ("code", Kind.TOTP_CODE, _TOTP_CODE),
            ("backupCode", Kind.BACKUP_CODE, _BACKUP_CODE),
        ):
            value = sent.get(name)
            code = re.sub(r"[\s-]", "", value).upper() if isinstance(value, str) else ""
            if form.fullmatch(code):
                self.add(kind, code)

    def add_answer(self, source: str, status: int, headers: Mapping[str, str], body: object) -> None:
        """Record the secrets that a response is meant to return, and keep the rest of it to be searched."""
        members = dict(_parsed(body))
        if status == 200:
            self.add(Kind.SECRET, str(members.pop("secret", "")))
            self.add(Kind.QR_CODE, str(members.pop("qrCode", "")))
            for code in members.pop("backupCodes", ()):
                self.add(Kind.BACKUP_CODE, code.replace("-", ""))
            self.add_token(str(members.pop("proof", "")))
        left = members or ("" if status == 200 else str(body))
        place = f"the response {status} of {source} to {running_test()}"
        self.answers.append((place, json.dumps([left, dict(headers)])))

    def watching(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Return a Lambda handler that records its requests and responses here."""

        @wraps(handler)
        def watched(event: Any, context: Any) -> Any:
            if isinstance(event, dict):
                self.add_request(event.get("body"))
                authorizer = (event.get("requestContext") or {}).get("authorizer")
                if isinstance(authorizer, dict):
                    self.add(Kind.LABEL, _distinctive(authorizer))
            answer = handler(event, context)
            if isinstance(answer, dict) and "statusCode" in answer:
                self.add_answer(handler.__module__, answer["statusCode"], answer["headers"], answer["body"])
            return answer

        return watched


#: Between tests and handlers in one process, and between tests and a stack.
IN_PROCESS: Final = Ledger()
OVER_HTTP: Final = Ledger()


def running_test() -> str:
    """Return the id of the running test."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


def _parsed(body: object) -> Mapping[str, Any]:
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {}
    return body if isinstance(body, Mapping) else {}


def _distinctive(authorizer: Mapping[str, Any]) -> str:
    """Return the label of the authorizer's context, or nothing if it is the user's id or a common word."""
    label, user_id = authorizer.get(AuthorizerContext.LABEL), authorizer.get(AuthorizerContext.USER_ID)
    return label if isinstance(label, str) and "@" in label and len(label) > _BEGINNING and label != user_id else ""


class Search:
    """Searches texts for values."""

    def __init__(self, used: Iterable[Used]) -> None:
        self._needles: dict[str, list[tuple[str, str, Used]]] = defaultdict(list)
        self._codes: dict[str, Used] = {}
        for each in used:
            if each.kind is Kind.TOTP_CODE:
                self._codes[each.value] = each
            for form, text in _FORMS[each.kind](each.value):
                needle = text.lower()
                self._needles[needle[:_BEGINNING]].append((form, needle, each))

    def leaks(self, texts: Iterable[tuple[str, str]]) -> Iterator[Leak]:
        """Yield the leaks in texts, given as (place, text): each value once for each text."""
        for place, text in texts:
            found: set[str] = set()
            for form, position, used in self._matches(text):
                if used.value not in found:
                    found.add(used.value)
                    excerpt = text[max(0, position - _CONTEXT) : position + _CONTEXT]
                    yield Leak(used, form, place, excerpt)

    def _matches(self, text: str) -> Iterator[tuple[str, int, Used]]:
        lower = text.lower()
        for position in range(len(lower) - _BEGINNING + 1):
            for form, needle, used in self._needles.get(lower[position : position + _BEGINNING], ()):
                if lower.startswith(needle, position) and _is_meant(used, form, text, position):
                    yield form, position, used
        if self._codes:
            for match in _SIX_DIGITS.finditer(text):
                if used_code := self._codes.get("".join(match.groups())):
                    yield "as it is", match.start(), used_code


def _is_meant(used: Used, form: str, text: str, position: int) -> bool:
    """Return whether a match is the value, and not part of an id or a hash."""
    if used.kind is Kind.BACKUP_CODE and form == "as it is":
        return len(_run_around(_HEX, text, position).replace("-", "")) < _HEX_DIGITS_OF_AN_ID
    # A sealed secret contains its user's id, in base64, and the id may contain six digits in a row.
    if used.kind is not Kind.TOTP_CODE or not form.startswith("in base64"):
        return True
    run = _run_around(_BASE64, text, position).translate(_STANDARD_BASE64)
    for shift in range(4):  # it is unknown where a group of four begins
        aligned = run[shift:] if (len(run) - shift) % 4 != 1 else run[shift:-1]  # one character is less than a byte
        decoded = base64.b64decode(aligned + "=" * (-len(aligned) % 4)).decode("latin-1")
        if any("".join(match.groups()) == used.value for match in _SIX_DIGITS.finditer(decoded)):
            return True
    return False


def _run_around(alphabet: str, text: str, position: int) -> str:
    """Return the characters of an alphabet in a row around a position, within the context."""
    before, after = text[max(0, position - _CONTEXT) : position], text[position : position + _CONTEXT]
    return before[len(before.rstrip(alphabet)) :] + after[: len(after) - len(after.lstrip(alphabet))]


#: A UUID has 32, a hash has more.
_HEX_DIGITS_OF_AN_ID: Final = 32
_HEX: Final = string.hexdigits + "-"
_BASE64: Final = string.ascii_letters + string.digits + "+/-_"
_STANDARD_BASE64: Final = str.maketrans("-_", "+/")


type _Form = tuple[str, str]
"""The name of a way to write a value, and the text, of which the case does not matter."""


def _totp_code(code: str) -> Iterator[_Form]:
    yield from _encoded(code.encode())  # unencoded codes are found by _SIX_DIGITS


def _backup_code(code: str) -> Iterator[_Form]:
    for separator in ("", "-", " "):
        written = f"{code[:4]}{separator}{code[4:]}"
        yield "as it is", written
        yield from _encoded(written.encode())


def _secret(secret: str) -> Iterator[_Form]:
    for part in _parts(secret, step=4):
        yield "as it is", part
        for separator in " -":
            yield "in groups", separator.join(re.findall(".{4}", part))
        yield from _encoded(part.encode())
    try:
        key = base64.b32decode(secret)
    except ValueError:
        return
    for start in range(0, len(key) - 9, 5):
        half = key[start : start + 10]
        yield from ((f"its key {form}", text) for form, text in _encoded(half))
        yield "its key as Python shows bytes", repr(half)[2:-1]


def _token(token: str) -> Iterator[_Form]:
    for segment in token.split(".")[1:]:  # the header is not secret
        for part in _parts(segment, step=_PART):
            yield "as it is", part
            yield from _encoded(part.encode())


def _qr_code(data_uri: str) -> Iterator[_Form]:
    for part in _parts(data_uri[120:], step=_PART):  # all PNGs of a size begin alike
        yield "as it is", part
        yield "percent-encoded", quote(part, safe="")


def _label(label: str) -> Iterator[_Form]:
    yield "as it is", label
    yield "percent-encoded", quote(label, safe="")
    yield from _encoded(label.encode())


_FORMS: Final[Mapping[Kind, Callable[[str], Iterator[_Form]]]] = {
    Kind.TOTP_CODE: _totp_code,
    Kind.BACKUP_CODE: _backup_code,
    Kind.SECRET: _secret,
    Kind.TOKEN: _token,
    Kind.QR_CODE: _qr_code,
    Kind.LABEL: _label,
}


def _parts(value: str, *, step: int) -> Iterator[str]:
    """Yield a short value whole; of a long one, parts that include its beginning and end."""
    if len(value) < 2 * _PART:
        yield value
        return
    for start in (*range(0, len(value) - _PART, step), len(value) - _PART):
        yield value[start : start + _PART]


def _encoded(data: bytes) -> Iterator[_Form]:
    """Yield bytes in hexadecimal, in base64 at each offset, and percent-encoded."""
    yield "in hexadecimal", data.hex()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        # Only the characters that depend on nothing but the data.
        alone = encoded[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        yield "in base64", alone
        if (urlsafe := alone.translate(str.maketrans("+/", "-_"))) != alone:
            yield "in base64url", urlsafe
    yield "percent-encoded", "".join(f"%{byte:02x}" for byte in data)
