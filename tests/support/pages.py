"""The tables, code blocks and anchors of the documentation's Markdown."""

import re
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY

DOCS: Final = REPOSITORY / "docs"
#: The documentation, and the pages at the root of the repository and in ``.github``.
PAGES: Final = sorted([*DOCS.rglob("*.md"), *REPOSITORY.glob("*.md"), *REPOSITORY.glob(".github/*.md")])
_FENCE: Final = re.compile(r"^(`{3,})(\S*).*?\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    """Return a page's name for the ids of tests."""
    return page.relative_to(REPOSITORY).as_posix()


def text_of(page: str) -> str:
    """Return a page of the documentation."""
    return (DOCS / page).read_text()


def section(page: str, heading: str) -> str:
    """Return the text below a heading of level two or three, up to the next heading of that level."""
    match = re.search(rf"^(##+) {re.escape(heading)}\n(.*?)(?=^\1 |\Z)", text_of(page), re.MULTILINE | re.DOTALL)
    assert match, f"{page} has no heading {heading!r}"
    return match[2]


def fences(text: str, language: str) -> list[str]:
    """Return the blocks of a language, in their order."""
    return [block for _, each, block in _FENCE.findall(text) if each == language]


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", text)


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text, row by row, without headers."""
    lines = re.findall(r"^\|(.+)\|$", prose(text), re.MULTILINE)
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]
    rules = [place for place, row in enumerate(cells) if all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    heads = {place - 1 for place in rules} | set(rules)
    return [row for place, row in enumerate(cells) if place not in heads]


def quoted(cell: str) -> list[str]:
    """Return the texts in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+?)\s*$", prose(page.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = 0
        while (unique := anchor if number == 0 else f"{anchor}-{number}") in found:
            number += 1
        found.add(unique)
    return found
