"""What the site adds to the pages as they are in ``docs/``; called by MkDocs.

- Patterns in the navigation stand for the pages that match them.
- The records of decisions get an index.
- A link to a file outside ``docs/`` leads to a page that shows the file, so that it works here as it does where the
  repository is browsed.
- Long names break at their underscores, in narrow tables.
- A picture of the repository's own that is an SVG becomes part of its page, and so follows the colours of the page.
- What the theme leaves without a name gets one, for screen readers.
- Diagrams are drawn by the script that is installed, not by one from elsewhere.
"""

import posixpath
import re
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Link, Navigation, Section
from mkdocs.structure.pages import Page

from infra.paths import REPOSITORY

DIAGRAMS: Final = REPOSITORY / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
#: Where the pages are that show files from outside ``docs/``, and the script for diagrams.
SOURCE: Final = "source"
DIAGRAM_SCRIPT: Final = "assets/mermaid.js"
DECISIONS: Final = "adr/index.md"
#: Made of ``docs/openapi.json`` by `docsite.reference`, after MkDocs.
DESCRIPTION: Final = "openapi.json"
REFERENCE: Final = "reference/index.html"

_LINK: Final = re.compile(r"\]\(([^)#\s]+)(#[^)\s]+)?\)")
_FENCE: Final = re.compile(r"^( *)(`{3,}).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_PICTURE: Final = re.compile(r'<img alt="([^"]*)" src="([^":]+\.svg)"\s*/?>')
_LONG_NAME: Final = re.compile(r"<code>\w{24,}")
_SEARCH: Final = 'class="md-search" data-md-component="search" role="dialog"'
_LANGUAGES: Final = {
    "": "text",
    ".css": "css",
    ".js": "javascript",
    ".json": "json",
    ".mjs": "javascript",
    ".py": "python",
    ".sh": "bash",
    ".toml": "toml",
    ".yml": "yaml",
    ".yaml": "yaml",
}
_INDEX_HEAD: Final = (
    "# Decisions",
    "",
    "What others will ask about, with the reasons at the time. A new record can change a decision, with a measurement",
    "or a source that beats the one here.",
    "",
    "| Number | Decision | State |",
    "|---|---|---|",
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace the patterns in the navigation by the pages that match them."""
    pages = sorted(path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).rglob("*.md"))
    config.nav = _expanded(config.nav, pages)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what is not in ``docs/``: the index of the decisions, shown files, the script for diagrams."""
    if not DIAGRAMS.exists():
        raise SystemExit(f"{DIAGRAMS} is missing. Install it with: make setup")
    decisions = [file for file in files.documentation_pages() if file.src_uri.startswith("adr/")]
    files.append(File.generated(config, DECISIONS, content=_index(decisions)))
    files.append(File.generated(config, DIAGRAM_SCRIPT, abs_src_path=str(DIAGRAMS)))
    shown = {
        target
        for file in files.documentation_pages()
        for target in outside_links(file.src_uri, file.content_string, Path(config.docs_dir))
    }
    # Pages among them show more.
    waiting = sorted(shown)
    while waiting:
        target = waiting.pop()
        content = _shown(target)
        files.append(File.generated(config, _page_of(target), content=content))
        further = outside_links(_page_of(target), content, Path(config.docs_dir)) - shown
        shown |= further
        waiting += sorted(further)
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links to files outside ``docs/`` lead to the pages that show them."""
    del files
    return _with_links_turned(markdown, page.file.src_uri, Path(config.docs_dir))


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make pictures part of the page, and let long names break where a word ends."""
    del files

    def picture(match: re.Match[str]) -> str:
        text, address = match.groups()
        path = Path(config.docs_dir) / posixpath.dirname(page.file.src_uri) / address
        return path.read_text().replace("<svg ", f'<svg class="picture" aria-label="{text}" ', 1)

    html = _LONG_NAME.sub(lambda match: match.group().replace("_", "_<wbr>"), html)
    return _PICTURE.sub(picture, html)


def on_nav(nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
    """Add the reference of the API, which is no page of MkDocs, after the API's own page."""
    del files
    if not (Path(config.docs_dir) / DESCRIPTION).exists():
        return nav
    for section in nav.items:
        if isinstance(section, Section):
            for place, child in enumerate(section.children):
                if isinstance(child, Page) and child.file.src_uri == "api.md":
                    reference = Link("API reference (OpenAPI)", REFERENCE)
                    reference.parent = section
                    section.children.insert(place + 1, reference)
                    return nav
    return nav


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """Name the dialog that the theme searches in."""
    del page, config
    return output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"', 1)


def outside_links(page: str, markdown: str, docs: Path) -> set[str]:
    """Return the files outside ``docs/`` that a page links to, as paths in the repository.

    Parameters
    ----------
    page
        The page's place on the site: ``adr/0001-….md``, or ``source/README.md``.
    markdown
        Its text.
    docs
        The folder of the documentation.
    """
    base = _origin(page, docs)
    targets = {_target(address, base) for address, _ in _LINK.findall(_FENCE.sub("", markdown))}
    return {each for each in targets if each and not _inside(each, docs) and (REPOSITORY / each).is_file()}


def _origin(page: str, docs: Path) -> str:
    """Return the file in the repository that a page is made of."""
    if not page.startswith(f"{SOURCE}/"):
        return f"{docs.name}/{page}"
    path = page.removeprefix(f"{SOURCE}/")
    candidates = (path, f".{path}", path.removesuffix(".md"), f".{path.removesuffix('.md')}")
    return next(each for each in candidates if (REPOSITORY / each).is_file())


def _target(address: str, base: str) -> str | None:
    """Return the path in the repository that a link from a file there means; None for an address of the web."""
    if ":" in address or address.startswith("/"):
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(base), address))
    return None if target.startswith("..") else target


def _inside(target: str, docs: Path) -> bool:
    return target == docs.name or target.startswith(f"{docs.name}/")


def _with_links_turned(markdown: str, page: str, docs: Path) -> str:
    base = _origin(page, docs)

    def turn(match: re.Match[str]) -> str:
        address, anchor = match.groups()
        target = _target(address, base)
        if target is None:
            return match.group()
        if not _inside(target, docs):
            # One that is not there stays as it is, for MkDocs to complain about.
            place = _page_of(target) if (REPOSITORY / target).is_file() else target
        else:
            place = posixpath.relpath(target, docs.name)
            place = posixpath.normpath(f"{place}/index.md") if (docs / place).is_dir() else place
        return f"]({posixpath.relpath(place, posixpath.dirname(page) or '.')}{anchor or ''})"

    return _outside_fences(markdown, lambda text: _LINK.sub(turn, text))


def _outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [change(markdown[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*parts, change(markdown[end:])])


def _page_of(target: str) -> str:
    """Return the page that shows a file of the repository."""
    target = target.removeprefix(".")  # MkDocs leaves hidden folders out
    return f"{SOURCE}/{target}" if target.endswith(".md") else f"{SOURCE}/{target}.md"


def _shown(target: str) -> str:
    path = REPOSITORY / target
    text = path.read_text()
    if path.suffix == ".md":
        return text
    fence = "`" * 4
    language = _LANGUAGES.get(path.suffix, "text")
    return (
        f"---\nsearch:\n  exclude: true\n---\n\n# {target}\n\n"
        f'{fence}{{.{language} linenums="1"}}\n{text.rstrip()}\n{fence}\n'
    )


def _index(decisions: list[File]) -> str:
    rows = []
    for file in sorted(decisions, key=lambda file: file.src_uri):
        number, title = re.findall(r"^# (\d+)\. (.+)$", file.content_string, re.MULTILINE)[0]
        (state, *_) = re.findall(r"^(?:Status: )?(\w+)(?:, [\d-]+)?\.?$", file.content_string, re.MULTILINE)
        rows.append(f"| {number} | [{title}]({posixpath.basename(file.src_uri)}) | {state.capitalize()} |")
    return "\n".join([*_INDEX_HEAD, *rows, ""])


def _expanded(nav: object, pages: list[str]) -> object:
    match nav:
        case list():
            return [each for entry in nav for each in _entries(entry, pages)]
        case dict():
            return {title: _expanded(each, pages) for title, each in nav.items()}
        case _:
            return nav


def _entries(entry: object, pages: list[str]) -> list[object]:
    if isinstance(entry, str) and "*" in entry:
        return [page for page in pages if fnmatch(page, entry)]
    return [_expanded(entry, pages)]
