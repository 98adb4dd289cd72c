"""Searches what a run wrote down for the secrets, codes and tokens that it used, in whatever form.

What it can see: a value as it is, in upper or lower case, in groups, in base64 and base64url at every offset, in
hexadecimal, percent-encoded, escaped as in JSON or Python, as a list of byte values; and parts of a long value: any
15 characters in a row of a secret, any 23 of a token. What it cannot: a value that was hashed, compressed,
encrypted, reversed or cut into shorter pieces.
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

#: A value this long is searched for in parts, each of so many characters.
_PART: Final = 12
#: The shortest form of a part: a TOTP code in base64 at an odd offset. All forms are found by their beginning.
_BEGINNING: Final = 7
_CONTEXT: Final = 60

#: A digit six times is what tests make up, and the embedded AWS's account number is full of it; AAAA-0000 is, too.
_TOTP_CODE: Final = re.compile(r"(?!(\d)\1{5})[0-9]{6}")
_BACKUP_CODE: Final = re.compile(r"(?!([A-Z])\1{3}(\d)\2{3})[A-Z]{4}[0-9]{4}")
_TOKEN: Final = re.compile(r"[\w-]{16,4096}(\.[\w-]{16,4096}){2}", re.ASCII)
#: Six digits on their own. Not the fraction of a number, and not a part of a longer one, as times are full of them.
_SIX_DIGITS: Final = re.compile(r"(?<![\w-])(?<!\d[.,:])(\d{3})[ -]?(\d{3})(?![\w-])", re.ASCII)


class Kind(StrEnum):
    """What must not be written down."""

    SECRET = "TOTP secret"
    QR_CODE = "QR code"
    TOTP_CODE = "TOTP code"
    BACKUP_CODE = "backup code"
    TOKEN = "access token"
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
    """What was used, and what was answered: written down by whoever sends and receives requests.

    Attributes
    ----------
    used : dict
        Every value with its kind and its first user, in the order of their use.
    lately : dict
        Those values of it that were used, first or again, since the running test began.
    answers : list of tuple
        What answers said, each with where it came from, without what they are there to tell.
    """

    def __init__(self) -> None:
        self.used: dict[str, Used] = {}
        self.lately: dict[str, Used] = {}
        self.answers: list[tuple[str, str]] = []

    def add(self, kind: Kind, value: str) -> None:
        """Remember a value."""
        if value:
            self.lately[value] = self.used.setdefault(value, Used(kind, value, running_test()))

    def add_token(self, token: str) -> None:
        """Remember a token, if it could be one: junk that was sent as a token may well be found elsewhere."""
        if _TOKEN.fullmatch(token):
            self.add(Kind.TOKEN, token)

    def add_request(self, body: object) -> None:
        """Remember the codes in the body of a request: text, bytes or what they say."""
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
        """Remember what an answer is there to tell, and keep the rest of it to be searched."""
        told = dict(_parsed(body))
        if status == 200:
            self.add(Kind.SECRET, str(told.pop("secret", "")))
            self.add(Kind.QR_CODE, str(told.pop("qrCode", "")))
            for code in told.pop("backupCodes", ()):
                self.add(Kind.BACKUP_CODE, code.replace("-", ""))
        left = told or ("" if status == 200 else str(body))
        self.answers.append((f"the answer {status} of {source} to {running_test()}", json.dumps([left, dict(headers)])))

    def watching(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Return a route's Lambda handler that writes down what it is asked and what it answers."""

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


#: What passes between tests and handlers within one process, and between tests and a stack.
IN_PROCESS: Final = Ledger()
OVER_HTTP: Final = Ledger()


def running_test() -> str:
    """Return the id of the test that is running."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


def _parsed(body: object) -> Mapping[str, Any]:
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {}
    return body if isinstance(body, Mapping) else {}


def _distinctive(authorizer: Mapping[str, Any]) -> str:
    """Return the label of the authorizer's context if it tells more than the user's id and is no common word."""
    label, user_id = authorizer.get(AuthorizerContext.LABEL), authorizer.get(AuthorizerContext.USER_ID)
    return label if isinstance(label, str) and "@" in label and len(label) > _BEGINNING and label != user_id else ""


class Search:
    """Looks for values in texts.

    Parameters
    ----------
    used : iterable of Used
        The values.
    """

    def __init__(self, used: Iterable[Used]) -> None:
        self._exact: dict[str, list[tuple[str, str, Used]]] = defaultdict(list)
        self._folded: dict[str, list[tuple[str, str, Used]]] = defaultdict(list)
        self._codes: dict[str, Used] = {}
        for each in used:
            if each.kind is Kind.TOTP_CODE:
                self._codes[each.value] = each
            for form, text, case_matters in _FORMS[each.kind](each.value):
                index, key = (self._exact, text) if case_matters else (self._folded, text.lower())
                index[key[:_BEGINNING]].append((form, key, each))

    def leaks(self, texts: Iterable[tuple[str, str]]) -> Iterator[Leak]:
        """Yield what is found in texts, each of which comes with the name of its place: each value once a text."""
        for place, text in texts:
            found: set[str] = set()
            for form, position, used in self._matches(text):
                if used.value not in found:
                    found.add(used.value)
                    excerpt = text[max(0, position - _CONTEXT) : position + _CONTEXT]
                    yield Leak(used, form, place, excerpt)

    def _matches(self, text: str) -> Iterator[tuple[str, int, Used]]:
        folded = text.lower()
        for index, searched in ((self._exact, text), (self._folded, folded)):
            if not index:
                continue
            for position in range(len(searched) - _BEGINNING + 1):
                for form, key, used in index.get(searched[position : position + _BEGINNING], ()):
                    if searched.startswith(key, position) and _is_meant(used, form, searched, position):
                        yield form, position, used
        if self._codes:
            for match in _SIX_DIGITS.finditer(text):
                if used_code := self._codes.get("".join(match.groups())):
                    yield "as it is", match.start(), used_code


def _is_meant(used: Used, form: str, text: str, position: int) -> bool:
    """Whether what was found is the value, and not a part of an id or a hash that reads alike."""
    if used.kind is Kind.BACKUP_CODE and form == "as it is":
        return len(_run_around(_HEX, text, position).replace("-", "")) < _HEX_DIGITS_OF_AN_ID
    # Six digits of a user's id, which a sealed secret names in base64.
    if used.kind is not Kind.TOTP_CODE or not form.startswith("in base64"):
        return True
    run = _run_around(_BASE64, text, position).translate(_STANDARD_BASE64)
    for shift in range(4):  # where a group of four begins is not known
        aligned = run[shift:] if (len(run) - shift) % 4 != 1 else run[shift:-1]  # one character is no byte
        decoded = base64.b64decode(aligned + "=" * (-len(aligned) % 4)).decode("latin-1")
        if any("".join(match.groups()) == used.value for match in _SIX_DIGITS.finditer(decoded)):
            return True
    return False


def _run_around(alphabet: str, text: str, position: int) -> str:
    """Return the characters of an alphabet that stand together around a position, not far from it."""
    before, after = text[max(0, position - _CONTEXT) : position], text[position : position + _CONTEXT]
    return before[len(before.rstrip(alphabet)) :] + after[: len(after) - len(after.lstrip(alphabet))]


#: A UUID has so many; a hash has more.
_HEX_DIGITS_OF_AN_ID: Final = 32
_HEX: Final = string.hexdigits + "-"
_BASE64: Final = string.ascii_letters + string.digits + "+/-_"
_STANDARD_BASE64: Final = str.maketrans("-_", "+/")


type _Form = tuple[str, str, bool]
"""The name of a way to write something, the text, and whether its case matters."""


def _totp_code(code: str) -> Iterator[_Form]:
    yield from _encoded(code.encode())  # as it is, only on its own: see _SIX_DIGITS


def _backup_code(code: str) -> Iterator[_Form]:
    for separator in ("", "-", " "):
        written = f"{code[:4]}{separator}{code[4:]}"
        yield "as it is", written, False
        yield from _encoded(written.encode())


def _secret(secret: str) -> Iterator[_Form]:
    for part in _parts(secret, step=4):
        yield "as it is", part, False
        for separator in " -":
            yield "in groups", separator.join(re.findall(".{4}", part)), False
        yield from _encoded(part.encode())
    yield from _encoded_key(secret)


def _token(token: str) -> Iterator[_Form]:
    # The header is no secret: it is the same for everybody.
    for segment in token.split(".")[1:]:
        for part in _parts(segment, step=_PART):
            yield "as it is", part, False
            yield from _encoded(part.encode())


def _qr_code(data_uri: str) -> Iterator[_Form]:
    # The beginning of a PNG is the same for all pictures of a size.
    for part in _parts(data_uri[120:], step=_PART):
        yield "as it is", part, True
        yield "percent-encoded", quote(part, safe=""), True


def _label(label: str) -> Iterator[_Form]:
    yield "as it is", label, False
    yield "percent-encoded", quote(label, safe=""), False
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
    """Yield the whole of a short value, and parts of a long one, the beginning and the end among them."""
    if len(value) < 2 * _PART:
        yield value
        return
    for start in (*range(0, len(value) - _PART, step), len(value) - _PART):
        yield value[start : start + _PART]


def _encoded(data: bytes) -> Iterator[_Form]:
    """Yield the ways to write bytes as text."""
    yield "in hexadecimal", data.hex(), False
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        # Only those characters that no neighbour of the data has a part in.
        alone = encoded[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        yield "in base64", alone, True
        if (urlsafe := alone.translate(str.maketrans("+/", "-_"))) != alone:
            yield "in base64url", urlsafe, True
    yield "percent-encoded", "".join(f"%{byte:02x}" for byte in data), False
    yield "escaped as in JSON", "".join(f"\\u{byte:04x}" for byte in data), False
    yield "escaped as in Python", "".join(f"\\x{byte:02x}" for byte in data), False
    for separator in (",", ", "):
        yield "as byte values", separator.join(map(str, data)), False


def _encoded_key(secret: str) -> Iterator[_Form]:
    """Yield the ways to write the key that a base32 secret stands for, in halves."""
    try:
        key = base64.b32decode(secret)
    except ValueError:
        return
    for start in range(0, len(key) - 9, 5):
        half = key[start : start + 10]
        for form, text, case_matters in _encoded(half):
            yield f"its key {form}", text, case_matters
        yield "its key as Python shows bytes", repr(half)[2:-1], True
