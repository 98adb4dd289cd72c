"""The licences of what the functions' packages carry, as SPDX expressions, and which of them are welcome."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from license_expression import get_spdx_licensing

from infra.packaging.errors import PackagingError

#: Licences that ask for no more than naming the author. Anything else is for people to decide, and to add here.
WELCOME: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Python-2.0"}
)

#: What packages from before PEP 639 say instead of an SPDX expression; one that says nothing sure is named itself.
_BY_TEXT: Final = {
    "apache license 2.0": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "mit license": "MIT",
}
_BY_NAME: Final = {
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",  # its LICENSE: the old code BSD, all since 2017 under both
    "qrcode": "BSD-3-Clause",  # its LICENSE: the text of the three-clause licence
}


_SPDX: Final = get_spdx_licensing()


@dataclass(frozen=True, order=True)
class Licensed:
    """A package and its licence.

    Attributes
    ----------
    name
        As in the requirements files.
    licence
        An SPDX expression.
    """

    name: str
    licence: str


def licences(package: Path) -> list[Licensed]:
    """Return the licences of everything in a function's package, by name.

    Raises
    ------
    PackagingError
        A package's licence cannot be told from what it says.
    """
    return sorted(
        Licensed(_name(found), _expression(_name(found), found)) for found in distributions(path=[str(package)])
    )


def unwelcome(licensed: Iterable[Licensed]) -> list[Licensed]:
    """Return those of which no alternative is welcome as a whole."""
    return [each for each in licensed if not _is_welcome(each.licence)]


def table(licensed: Iterable[Licensed]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| Package | Licence |"
    yield "|---|---|"
    for each in sorted(set(licensed)):
        yield f"| {each.name} | {each.licence} |"


def _name(distribution: Distribution) -> str:
    return distribution.name.lower().replace("_", "-")


def _expression(name: str, distribution: Distribution) -> str:
    metadata = distribution.metadata
    said = metadata.get("License-Expression") or _BY_NAME.get(name)
    expression = said or _BY_TEXT.get(str(metadata.get("License", "")).lower())
    if not expression:
        raise PackagingError(f"{name} {distribution.version} does not say its licence by an SPDX expression.")
    return expression


def _is_welcome(expression: str) -> bool:
    # As in logic: a welcome licence is true, and so is an expression that needs no other.
    parsed = _SPDX.parse(expression, validate=True)
    welcome = {symbol: _SPDX.TRUE for symbol in parsed.symbols if symbol.key in WELCOME}
    return bool(parsed.subs(welcome, simplify=True) == _SPDX.TRUE)
