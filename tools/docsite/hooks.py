"""Changes that MkDocs makes to the pages of ``docs/`` when it builds the site.

- The navigation lists the decision records, and an index page links them.
- A link to a file outside ``docs/`` leads to a page that shows the file, so that it works as it does on GitHub.
- Long names can break after an underscore, so that they fit narrow tables.
- The search ranks guides before reports and decisions, and does not know the sources of diagrams.
- Diagrams scroll on narrow screens.
- The scripts for diagrams and for the search from the disk are part of the site and not loaded from a CDN.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Link, Navigation
from mkdocs.structure.pages import Page

from infra.paths import REPOSITORY

DIAGRAMS: Final = REPOSITORY / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
#: The folder of the pages that show files from outside ``docs/``.
SOURCE: Final = "source"
DIAGRAM_SCRIPT: Final = "assets/mermaid.js"
_SCRIPTS: Final = {
    DIAGRAM_SCRIPT: DIAGRAMS,
    "assets/iframe-worker.js": REPOSITORY / "node_modules" / "iframe-worker" / "shim" / "index.js",
}
#: Factors of the search's ranking. A word in a title counts a thousand times as much as one in the text.
_BOOSTS: Final = {"integration.md": 1e4, "api.md": 1e3, "quick-start.md": 1e2, "index.md": 1e2}
_LAST: Final = re.compile(r"(adr|source)/.*|security-report\.md|performance\.md")
_LAST_BOOST: Final = 1e-3
DECISIONS: Final = "adr/index.md"
#: The reference is generated from the description by `tools.docsite.build`, after MkDocs.
DESCRIPTION: Final = "openapi.json"
REFERENCE: Final = "reference/index.html"

_LINK: Final = re.compile(r"\]\(([^)#\s]+)(#[^)\s]+)?\)")
_PICTURE: Final = re.compile(r'(<img [^>]*src=")([^":]+)')
_FENCE: Final = re.compile(r"^( *)(`{3,}).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_LONG_NAME: Final = re.compile(r"<code>\w{24,}")
_DIAGRAM: Final = re.compile(r'<pre class="mermaid">(.*?)</pre>', re.DOTALL)
#: The highlighter's name of a language, where it differs from the files' suffix.
_LANGUAGES: Final = {"mjs": "js", "yml": "yaml"}
_INDEX_HEAD: Final = (
    "# Decisions",
    "",
    "Decisions that readers will ask about, with the reasons at the time. To change one, write a new record with a",
    "measurement or a source that outweighs the one here.",
    "",
    "| Number | Decision | State |",
    "|---|---|---|",
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the decision records in the navigation, after their index."""
    records = sorted(path.name for path in Path(config.docs_dir, "adr").glob("0*.md"))
    navigation: Any = config.nav
    navigation[-1]["Understand it"][-1]["Decisions"] += [f"adr/{name}" for name in records]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the index of the decision records, the files outside ``docs/`` that pages link to, and the script."""
    for script in _SCRIPTS.values():
        if not script.exists():
            raise SystemExit(f"{script} is missing. Install it with: make setup")
    decisions = [file for file in files.documentation_pages() if file.src_uri.startswith("adr/")]
    files.append(File.generated(config, DECISIONS, content=_index(decisions)))
    for place, script in _SCRIPTS.items():
        files.append(File.generated(config, place, abs_src_path=str(script)))
    waiting = list(files.documentation_pages())
    while waiting:
        file = waiting.pop()
        for target in _outside_links(file.src_uri, file.content_string, Path(config.docs_dir)):
            if files.get_file_from_path(_page_of(target)) is None:
                files.append(File.generated(config, _page_of(target), content=_shown(target)))
                waiting.append(files.src_uris[_page_of(target)])  # it may link to further files
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links and pictures to their places in the site, and rank the page for the search."""
    del files
    boost = _LAST_BOOST if _LAST.fullmatch(page.file.src_uri) else _BOOSTS.get(page.file.src_uri, 1)
    page.meta.setdefault("search", {}).setdefault("boost", boost)
    return _with_site_links(markdown, page.file.src_uri, Path(config.docs_dir))


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let long names break after an underscore, so that they fit narrow tables, and let diagrams scroll."""
    del page, config, files
    html = _DIAGRAM.sub(_scrolled, html)
    return _LONG_NAME.sub(lambda match: match.group().replace("_", "_<wbr>"), html)


def _scrolled(diagram: re.Match[str]) -> str:
    """Return a diagram that scrolls by itself; a sequence is wide, and keeps a width at which it is legible."""
    kind = "diagram sequence" if "sequenceDiagram" in diagram[1] else "diagram"
    source = f'<pre class="mermaid" data-search-exclude>{diagram[1]}</pre>'
    return f'<div class="{kind}" tabindex="0" role="group" aria-label="Diagram">{source}</div>'


def on_nav(nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
    """Add the API reference after the API page; MkDocs does not know it, because it is not built from Markdown."""
    del config, files
    api = next(page for page in nav.pages if page.file.src_uri == "api.md")
    section: Any = api.parent
    reference = Link("API reference (OpenAPI)", REFERENCE)
    reference.parent = section
    section.children.insert(section.children.index(api) + 1, reference)
    return nav


def _outside_links(page: str, markdown: str, docs: Path) -> set[str]:
    """Return the files outside ``docs/`` that a page of the site links to, as paths in the repository."""
    base = _origin(page, docs)
    targets = {_target(address, base) for address, _ in _LINK.findall(_FENCE.sub("", markdown))}
    return {each for each in targets if each and not _inside(each, docs) and (REPOSITORY / each).is_file()}


def _origin(page: str, docs: Path) -> str:
    """Return the file in the repository that a page of the site shows."""
    if not page.startswith(f"{SOURCE}/"):
        return f"{docs.name}/{page}"
    path = page.removeprefix(f"{SOURCE}/")
    candidates = (path, f".{path}", path.removesuffix(".md"), f".{path.removesuffix('.md')}")
    return next(each for each in candidates if (REPOSITORY / each).is_file())


def _target(address: str, base: str) -> str | None:
    """Return the path in the repository that a relative link leads to; None for any other link."""
    if ":" in address or address.startswith("/"):
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(base), address))
    return None if target.startswith("..") else target


def _inside(target: str, docs: Path) -> bool:
    return target == docs.name or target.startswith(f"{docs.name}/")


def _with_site_links(markdown: str, page: str, docs: Path) -> str:
    base = _origin(page, docs)

    def turn(match: re.Match[str]) -> str:
        address, anchor = match.groups()
        target = _target(address, base)
        if target is None:
            return match.group()
        if not _inside(target, docs):
            # MkDocs reports a link to a missing file.
            place = _page_of(target) if (REPOSITORY / target).is_file() else target
        else:
            place = posixpath.relpath(target, docs.name)
            place = posixpath.normpath(f"{place}/index.md") if (docs / place).is_dir() else place
        return f"]({posixpath.relpath(place, posixpath.dirname(page) or '.')}{anchor or ''})"

    def picture(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(base), match[2]))
        return match[1] + posixpath.relpath(posixpath.relpath(target, docs.name), posixpath.dirname(page) or ".")

    return _outside_fences(markdown, lambda text: _PICTURE.sub(picture, _LINK.sub(turn, text)))


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
    suffix = path.suffix.removeprefix(".") or "text"
    language = _LANGUAGES.get(suffix, suffix)
    return (
        f"---\nsearch:\n  exclude: true\n---\n\n# {target}\n\n"
        f'{fence}{{.{language} linenums="1"}}\n{text.rstrip()}\n{fence}\n'
    )


def _index(decisions: list[File]) -> str:
    rows = []
    for file in sorted(decisions, key=lambda file: file.src_uri):
        number, title = re.findall(r"^# (\d+)\. (.+)$", file.content_string, re.MULTILINE)[0]
        (state,) = re.findall(r"^Status: (\w+)$", file.content_string, re.MULTILINE)
        rows.append(f"| {number} | [{title}]({posixpath.basename(file.src_uri)}) | {state.capitalize()} |")
    return "\n".join([*_INDEX_HEAD, *rows, ""])
