"""How a setting's text becomes a value, and what the error says when it cannot."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

#: Pattern of a region's name.
REGION: Final = r"[a-z]{2}(-[a-z]+)+-\d"


class ConfigError(Exception):
    """The configuration asks for something that does not exist or cannot be; the message is one line."""


@dataclass(frozen=True)
class Kind[T]:
    """A kind of setting.

    Attributes
    ----------
    expected
        What a value must be, worded to follow "expected".
    parse
        Turns text into the value; raises ``ValueError`` for text that is not as expected.
    """

    expected: str
    parse: Callable[[str], T]

    def read(self, name: str, text: str) -> T:
        """Return the value of the setting of that name.

        Raises
        ------
        ConfigError
            The text is not as expected; the message names the setting.
        """
        try:
            return self.parse(text)
        except ValueError:
            raise ConfigError(f"{name}: expected {self.expected}, got {text!r}") from None


def boolean() -> Kind[bool]:
    """Accept ``true`` and ``false``."""
    return Kind("true or false", lambda text: _one_of(text.lower(), {"true": True, "false": False}))


def integer(low: int, high: int) -> Kind[int]:
    """Accept a whole number from ``low`` to ``high``, both included."""

    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return Kind(f"a whole number from {low} to {high}", parse)


def number() -> Kind[float]:
    """Accept a decimal number above zero."""

    def parse(text: str) -> float:
        value = float(text)
        if not 0 < value < float("inf"):
            raise ValueError(text)
        return value

    return Kind("a number above 0", parse)


def choice[T: (str, int)](values: Iterable[T]) -> Kind[T]:
    """Accept one of the values, written as text."""
    by_text = {str(value): value for value in values}
    return Kind(f"one of {', '.join(by_text)}", lambda text: _one_of(text, by_text))


def pattern(expression: str, expected: str) -> Kind[str]:
    """Accept text that matches the whole expression."""

    def parse(text: str) -> str:
        if not re.fullmatch(expression, text):
            raise ValueError(text)
        return text

    return Kind(expected, parse)


def url() -> Kind[str]:
    """Accept an absolute http(s) URL without query or fragment; a slash at the end is significant and kept."""

    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(text)
        return text

    return Kind("an https:// URL", parse)


def origin() -> Kind[str]:
    """Accept a web origin (RFC 6454), that is scheme, host and optional port, or ``*`` for any."""

    def parse(text: str) -> str:
        if text == "*":
            return text
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or text != f"{parts.scheme}://{parts.netloc}" or not parts.hostname:
            raise ValueError(text)
        return text

    return Kind("an origin such as https://app.example.com, or *", parse)


def domain() -> Kind[str]:
    """Accept a DNS name in lower case, of two labels at least and without a dot at the end."""
    label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    return pattern(rf"(?=.{{1,253}}$)({label}\.)+{label}", "a domain name such as api.example.com")


def arn(service: str, resource: str, example: str) -> Kind[str]:
    """Accept the ARN of a resource: ``resource`` is the pattern of what follows the account."""
    return pattern(
        rf"arn:aws[a-z-]*:{service}:{REGION}:\d{{12}}:{resource}",
        f"an ARN such as arn:aws:{service}:us-east-1:123456789012:{example}",
    )


def optional[T](kind: Kind[T]) -> Kind[T | None]:
    """Accept the same, or nothing at all."""
    return Kind(f"{kind.expected}, or nothing", lambda text: kind.parse(text) if text else None)


def several[T](kind: Kind[T]) -> Kind[tuple[T, ...]]:
    """Accept a comma separated list of the same; an empty text is an empty list."""
    return Kind(
        f"a comma separated list, each {kind.expected}",
        lambda text: tuple(kind.parse(part.strip()) for part in text.split(",")) if text else (),
    )


def _one_of[T](text: str, values: dict[str, T]) -> T:
    if text not in values:
        raise ValueError(text)
    return values[text]
