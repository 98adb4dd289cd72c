"""Renders Markdown for the console: text widgets of the dashboard, and the documentation that alarms link to."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from infra.paths import REPOSITORY

DOCUMENTS: Final = REPOSITORY / "docs"
#: Where the console serves a document, without its suffix.
ADDRESS: Final = "/docs/"

_PARSER: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_ELSEWHERE: Final = re.compile(r"https?://")
_DOCUMENT: Final = re.compile(r"(?:\./)?(?:docs/)?([\w-]+)\.md(#[\w-]*)?")
#: Comments that mark generated parts, and tags that fold a part away. The parser would show them as text.
_MARKS: Final = re.compile(r"^(?:<!--.*-->|</?details.*>)\n", re.MULTILINE)
_STYLES: Final = {"strong", "em", "link"}


@dataclass(frozen=True)
class Span:
    """Text of one kind: ``text``, ``code``, ``strong``, ``em`` or ``link``; a link has an address."""

    text: str
    kind: str = "text"
    href: str | None = None


@dataclass(frozen=True)
class Block:
    """A heading (``h1`` …), a paragraph (``p``), an item of a list (``li``) or code (``pre``)."""

    tag: str
    spans: list[Span]


def blocks(markdown: str) -> list[Block]:
    """Return a text widget's blocks; unsupported markup becomes plain text."""
    found: list[Block] = []
    tag = "p"
    for token in _PARSER.parse(markdown):
        if token.type in {"heading_open", "list_item_open"}:
            tag = token.tag
        elif token.type in {"heading_close", "list_item_close"}:
            tag = "p"
        elif token.type == "inline":
            found.append(Block(tag, list(_spans(token.children or []))))
        elif token.type in {"fence", "code_block"}:
            found.append(Block("pre", [Span(token.content.rstrip("\n"))]))
    return found


def _spans(tokens: Sequence[Token]) -> Iterator[Span]:
    kinds: list[tuple[str, str | None]] = [("text", None)]
    for token in tokens:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if token.type.endswith("_open"):
            href = address(str(token.attrGet("href"))) if name == "link" else None
            dead = name == "link" and href is None
            kinds.append((name if name in _STYLES and not dead else "text", href))
        elif token.type.endswith("_close"):
            kinds.pop()
        elif token.type in {"softbreak", "hardbreak"}:
            yield Span(" ")
        elif token.content:
            kind, href = kinds[-1]
            yield Span(token.content, "code" if token.type == "code_inline" else kind, href)


def address(target: str) -> str | None:
    """Return the console's address of a link in a document, ``None`` if the console does not serve its target."""
    if _ELSEWHERE.match(target) or target.startswith("#"):
        return target
    match = _DOCUMENT.fullmatch(target)
    if match is None or not (DOCUMENTS / f"{match[1]}.md").is_file():
        return None
    return f"{ADDRESS}{match[1]}{match[2] or ''}"


def document(name: str) -> tuple[str, str] | None:
    """Return the title and the HTML of a document, ``None`` if it does not exist."""
    # Looked up among the existing files, so that a name is never used as a path.
    source = {each.stem: each for each in DOCUMENTS.glob("*.md")}.get(name)
    if source is None:
        return None
    tokens = _PARSER.parse(_MARKS.sub("", source.read_text()))
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", anchor(content.content))
    for token in tokens:
        for child in token.children or []:
            if child.type == "link_open":
                _resolve_link(child)
    body = _PARSER.renderer.render(tokens, _PARSER.options, {})
    body = body.replace("<table>", '<div class="scrolls" tabindex="0"><table>').replace("</table>", "</table></div>")
    title = next((token.content for token in tokens if token.type == "inline"), name)
    return title, body


def _resolve_link(link: Token) -> None:
    href = address(str(link.attrGet("href")))
    if href is None:
        del link.attrs["href"]  # plain text if the console does not serve the target
    else:
        link.attrSet("href", href)


def anchor(heading: str) -> str:
    """Return a heading's fragment, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
