"""The built site loads nothing from other hosts, and it is accessible and searchable. MkDocs checks the links."""

import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from local import ports
from local.progress import Progress
from tests.support.browser import DESKTOP, LOOKS, PHONE, Watched, accessibility_violations, overflows
from tests.support.pages import DOCS, fences
from tools.docsite.build import DocumentationError, build

#: Attributes whose URL a browser loads without user action.
LOADS = {
    "src": {"audio", "embed", "iframe", "img", "input", "script", "source", "track", "video"},
    "srcset": {"img", "source"},
    "data": {"object"},
    "poster": {"video"},
}
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch", "manifest"}
READ = ["index.html", "architecture.html", "integration.html", "security.html"]
#: The API reference: one script by Redocly that contains everything.
REFERENCE = "reference/index.html"


class Html(HTMLParser):
    """Collects the URLs that a browser loads with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the URLs of an element."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "link" and LOADED_LINKS & set(attributes.get("rel", "").split()):
            self.loaded.append(attributes["href"])
        self.loaded += [attributes[name] for name, tags in LOADS.items() if tag in tags and name in attributes]


def pages(site: Path) -> list[str]:
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def test_every_page_is_built(site: Path) -> None:
    expected = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}

    expected |= {"adr/index.html", "source/index.html", "source/github/SECURITY.html", REFERENCE}
    assert expected <= set(pages(site))


def loads(site: Path) -> Iterator[tuple[str, str]]:
    """Yield each page with each URL that a browser loads with it."""
    for page in pages(site):
        html = Html()
        html.feed((site / page).read_text())
        yield from ((page, url) for url in html.loaded)


def loaded_from_other_hosts(site: Path) -> list[str]:
    return [f"{page}: {url}" for page, url in loads(site) if urlsplit(url).netloc]


def test_no_page_loads_anything_from_other_hosts(site: Path) -> None:
    assert loaded_from_other_hosts(site) == []


def test_every_picture_script_and_style_is_in_the_site(site: Path) -> None:
    missing = [
        f"{page}: {url}"
        for page, url in loads(site)
        if page != "404.html"
        and not urlsplit(url).scheme
        and not (site / page).parent.joinpath(urlsplit(url).path).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<img src="//cdn.example/x.png">',
        '<link rel="preconnect" href="https://fonts.example">',
    ],
)
def test_a_load_from_another_host_is_found(tmp_path: Path, element: str) -> None:
    (tmp_path / "index.html").write_text(f'<a href="https://example.com">a link loads nothing</a> {element}')

    assert len(loaded_from_other_hosts(tmp_path)) == 1


def test_the_builder_refuses_a_page_with_errors_and_names_each(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    errors = ["[x](gone.md)", "[x](#gone)", "[x](../gone.py)", "![x](gone.png)", "[x](api.md#gone-too)"]
    (tmp_path / "docs" / "index.md").write_text("# A page\n\n" + "\n\n".join(errors) + "\n")

    with pytest.raises(DocumentationError) as refused:
        build(tmp_path / "site", Progress(), pages=tmp_path / "docs")

    assert [
        name for name in ("gone.md", "#gone", "gone.py", "gone.png", "#gone-too") if name not in str(refused.value)
    ] == []


# -- in a browser


type Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, site_url: str) -> Iterator[Visit]:
    """Return a function that opens a page of the site; requests and console messages are checked when the test ends."""
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


@pytest.mark.parametrize(("width", "color_scheme"), LOOKS)
@pytest.mark.parametrize("path", READ)
def test_a_page_is_accessible(visit: Visit, path: str, width: int, color_scheme: str) -> None:
    assert accessibility_violations(visit(path, width=width, color_scheme=color_scheme)) == []


@pytest.mark.parametrize("path", READ)
def test_a_page_fits_a_phone(visit: Visit, path: str) -> None:
    page = visit(path, width=PHONE)
    assert not overflows(page)
    # Each row of a table is a card, whose cells are named and below each other.
    for row in page.locator("table tbody tr").all()[:5]:
        cells = row.locator("td").all()
        boxes = [box for cell in cells if (box := cell.bounding_box()) is not None]
        assert len({box["x"] for box in boxes}) == 1
        assert all(cell.get_attribute("data-label") for cell in cells[1:])
    for diagram in page.locator(".sequence .mermaid").all():
        box = diagram.bounding_box()
        assert box is not None
        assert box["width"] > PHONE


@pytest.mark.parametrize("path", ["architecture.html", "integration.html", "security.html"])
def test_the_diagrams_are_rendered(visit: Visit, path: str) -> None:
    sources = fences((DOCS / path).with_suffix(".md").read_text(), "mermaid")
    page = visit(path)

    # The theme replaces each source by a diagram in a closed shadow root.
    drawn = page.locator("div.mermaid")
    expect(drawn).to_have_count(len(sources))
    expect(page.locator("pre.mermaid")).to_have_count(0)
    for each in drawn.all():
        box = each.bounding_box()
        assert box is not None
        assert box["height"] > 50, "an empty diagram"
    assert "Syntax error" not in page.locator("article").inner_text()


@pytest.mark.parametrize("from_disk", [False, True], ids=["served", "from-disk"])
def test_the_search_finds_the_guide_first_and_no_source_of_a_diagram(
    visit: Visit, chromium: Browser, site: Path, *, from_disk: bool
) -> None:
    page = chromium.new_page() if from_disk else visit("index.html")
    if from_disk:
        page.goto((site / "index.html").as_uri())
    found = page.locator(".md-search-result__link")

    field = page.locator(".md-search__input")

    def search(words: str) -> None:
        # Not letter by letter: the search warns in the browser's console about "Retry-".
        field.fill(words)
        field.press("End")

    for words, first in {
        "Retry-After": "integration",
        "429": "integration",
        "lost phone": "integration",
    }.items():
        search(words)
        expect(found.first).to_have_attribute("href", re.compile(rf"{first}\.html"))
    search("sequenceDiagram")
    expect(page.locator(".md-search-result__meta")).to_have_text("No matching documents")
    if from_disk:
        page.close()


def test_the_api_reference_needs_no_other_file_and_leads_back(visit: Visit) -> None:
    page = visit(REFERENCE)

    expect(page).to_have_title("API reference - Serverless MFA on AWS")
    expect(page.get_by_text("/auth/mfa/verify-setup").first).to_be_attached()
    page.get_by_text("Enrol", exact=True).first.click()
    page.get_by_text("Start an enrolment").first.click()
    expect(page.get_by_text('curl -s -X POST "$API/auth/mfa/setup"').first).to_be_visible()
    # What remains is Redoc's own structure: a menu outside of landmarks, and a heading that skips a level.
    assert [each for each in accessibility_violations(page) if not each.startswith(("region:", "heading-order:"))] == []
    page.get_by_role("navigation", name="Documentation").get_by_role("link", name="Integration guide").click()
    expect(page.get_by_role("heading", name="Integration guide", level=1)).to_be_visible()
