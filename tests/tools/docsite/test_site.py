"""The built site: its links lead somewhere, it loads nothing from elsewhere, and people can read and search it."""

import functools
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from local import ports
from local.progress import Progress
from tests.support.browser import DESKTOP, PHONE, Watched, accessibility_violations, overflows
from tests.support.pages import DOCS, fences
from tools.docsite.build import DocumentationError, build

#: Attributes by which a browser loads something without being asked.
LOADS = {
    "src": {"audio", "embed", "iframe", "img", "input", "script", "source", "track", "video"},
    "srcset": {"img", "source"},
    "data": {"object"},
    "poster": {"video"},
}
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch", "manifest"}
READ = ["index.html", "integration.html", "security.html"]
#: Pages that are not of this project's making: the reference is one script with everything in it.
REFERENCE = "reference/index.html"


class Html(HTMLParser):
    """What a page is made of, as far as links go."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element."""
        attributes = {name: value or "" for name, value in attrs}
        self.ids |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag in {"a", "area"} and "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "link" and LOADED_LINKS & set(attributes.get("rel", "").split()):
            self.loaded.append(attributes["href"])
        self.loaded += [attributes[name] for name, tags in LOADS.items() if tag in tags and name in attributes]


@functools.cache
def read(path: Path) -> Html:
    html = Html()
    html.feed(path.read_text())
    return html


def pages(site: Path) -> list[str]:
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def dead_links(site: Path, page: str) -> Iterator[str]:
    """Yield the links of a page within the site that lead to no file, or to no place in it."""
    if page == REFERENCE:  # its links are for its script
        return
    for link in read(site / page).links:
        address = urlsplit(link)
        if address.scheme or address.netloc:
            continue
        # The page for what is not found is served everywhere, and so names its links from the root.
        path = unquote(address.path)
        here = path.lstrip("/") if path.startswith("/") else posixpath.join(posixpath.dirname(page), path)
        target = site / posixpath.normpath(here) if path else site / page
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file():
            yield f"{page}: {link} leads nowhere"
        elif address.fragment and target.suffix == ".html" and unquote(address.fragment) not in read(target).ids:
            yield f"{page}: {link} leads to no place in that page"


def test_every_page_of_the_documentation_is_there(site: Path) -> None:
    expected = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}

    assert expected | {"adr/index.html", "source/index.html", "source/SECURITY.html", REFERENCE} <= set(pages(site))


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    assert [dead for page in pages(site) for dead in dead_links(site, page)] == []


def test_a_dead_link_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<a href="gone.html">x</a> <a href="#gone">y</a> <a href="#here" id="here">z</a>'
    )

    assert list(dead_links(tmp_path, "index.html")) == [
        "index.html: gone.html leads nowhere",
        "index.html: #gone leads to no place in that page",
    ]


def loaded_from_elsewhere(site: Path) -> list[str]:
    return [
        f"{page}: {address}" for page in pages(site) for address in read(site / page).loaded if urlsplit(address).netloc
    ]


def test_no_page_names_anything_to_load_from_elsewhere(site: Path) -> None:
    assert loaded_from_elsewhere(site) == []


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<img src="//cdn.example/x.png">',
        '<link rel="preconnect" href="https://fonts.example">',
    ],
)
def test_what_is_loaded_from_elsewhere_would_be_seen(tmp_path: Path, element: str) -> None:
    (tmp_path / "index.html").write_text(f'<a href="https://example.com">a link loads nothing</a> {element}')

    assert len(loaded_from_elsewhere(tmp_path)) == 1


def test_the_builder_refuses_a_page_with_faults_and_names_each(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    faults = ["[x](gone.md)", "[x](#gone)", "[x](../gone.py)", "![x](gone.png)", "[x](api.md#gone-too)"]
    (tmp_path / "docs" / "index.md").write_text("# A page\n\n" + "\n\n".join(faults) + "\n")

    with pytest.raises(DocumentationError) as refused:
        build(tmp_path / "site", Progress(), pages=tmp_path / "docs")

    assert [
        name for name in ("gone.md", "#gone", "gone.py", "gone.png", "#gone-too") if name not in str(refused.value)
    ] == []


# -- in a browser


type Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, site_url: str) -> Iterator[Visit]:
    """Return a function that opens a page of the site; what the pages did is judged when the test ends."""
    opened: list[tuple[Page, Watched]] = []

    def open_(path: str, *, width: int = DESKTOP, color_scheme: Any = "light") -> Page:
        context = chromium.new_context(
            base_url=site_url,
            viewport={"width": width, "height": 900},
            color_scheme=color_scheme,
            reduced_motion="reduce",
        )
        page, watched = context.new_page(), Watched()
        watched.attach(page)
        opened.append((page, watched))
        page.goto(f"/{path}", wait_until="networkidle")
        return page

    yield open_
    for page, watched in opened:
        page.context.close()
        assert watched.hosts() == {ports.LOOPBACK}
        assert watched.complaints() == []


@pytest.mark.parametrize(
    ("path", "color_scheme"),
    [("index.html", "light"), ("integration.html", "light"), ("integration.html", "dark"), ("security.html", "dark")],
)
def test_a_page_can_be_read_by_everybody(visit: Visit, path: str, color_scheme: str) -> None:
    assert accessibility_violations(visit(path, color_scheme=color_scheme)) == []


@pytest.mark.parametrize("path", READ)
def test_a_page_fits_a_phone(visit: Visit, path: str) -> None:
    assert not overflows(visit(path, width=PHONE))


@pytest.mark.parametrize("path", ["architecture.html", "integration.html"])
def test_the_diagrams_are_drawn(visit: Visit, path: str) -> None:
    sources = fences((DOCS / path).with_suffix(".md").read_text(), "mermaid")
    page = visit(path)

    # The theme puts each drawing where its source was, out of reach of the page's own styles and scripts.
    drawn = page.locator("div.mermaid")
    expect(drawn).to_have_count(len(sources))
    expect(page.locator("pre.mermaid")).to_have_count(0)
    for each in drawn.all():
        box = each.bounding_box()
        assert box is not None
        assert box["height"] > 50, "an empty drawing"
    assert "Syntax error" not in page.locator("article").inner_text()


@pytest.mark.parametrize("path", ["architecture.html", "security.html"])
def test_a_picture_is_part_of_its_page_and_takes_its_colours(visit: Visit, path: str) -> None:
    colours = set()
    for color_scheme in ("light", "dark"):
        picture = visit(path, color_scheme=color_scheme).locator("svg.picture")
        expect(picture).to_have_count(1)
        assert len(str(picture.get_attribute("aria-label"))) > 20
        colours.add(picture.locator("text").first.evaluate("each => getComputedStyle(each).fill"))

    assert len(colours) == 2


def test_a_word_is_found(visit: Visit) -> None:
    page = visit("index.html")
    page.keyboard.press("/")
    page.keyboard.type("phishing-resistant")

    expect(page.locator(".md-search-result__link").first).to_have_attribute("href", re.compile(r"security\.html"))


def test_the_reference_of_the_api_needs_nothing_but_itself(visit: Visit) -> None:
    page = visit(REFERENCE)

    expect(page.get_by_text("/auth/mfa/backup-codes").first).to_be_attached()
