"""Pictures as SVG: boxes, arrows and text in the colours of whatever page they are on.

A file stands alone, light or dark as the reader's system is; as part of a page of the site it takes the page's colours.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

_CSS: Final = """
  .picture-text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--pic-ink) }
  .picture-name { font-weight: 600 }
  .picture-strong { font-weight: 600 }
  .picture-small { font-size: 11.5px; fill: var(--pic-soft) }
  .picture-code { font: 11.5px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--pic-soft) }
  .picture-page { fill: var(--pic-page) }
  .picture[aria-label] .picture-page { fill: none }
  .picture-stack { fill: var(--pic-stack); stroke: var(--pic-line); stroke-dasharray: 5 4 }
  .picture-box { fill: var(--pic-box); stroke: var(--pic-edge) }
  .picture-seals { fill: var(--pic-box); stroke: var(--pic-key); stroke-width: 1.6 }
  .picture-arrow { fill: none; stroke: var(--pic-edge); stroke-width: 1.3; marker-end: url(#picture-head) }
  .picture-key { fill: none; stroke: var(--pic-key); stroke-width: 1.5; marker-end: url(#picture-key-head) }
  .picture-table { fill: none; stroke: var(--pic-table); stroke-width: 1.5; marker-end: url(#picture-table-head) }
  .picture-on-key { fill: var(--pic-key) }
  .picture-on-table { fill: var(--pic-table) }
  .picture-bracket { fill: none; stroke: var(--pic-edge) }
  .picture-head { fill: var(--pic-edge) }
  .picture {
    --pic-ink: #17252a; --pic-soft: #4b5d63; --pic-line: #9fb3b5; --pic-edge: #5b7076; --pic-stack: #f4f8f8;
    --pic-box: #ffffff; --pic-key: #9a3412; --pic-table: #115e59; --pic-page: #ffffff;
  }
  @media (prefers-color-scheme: dark) {
    .picture:not([aria-label]) {
      --pic-ink: #e6efef; --pic-soft: #b3c4c6; --pic-line: #4d6266; --pic-edge: #8fa5a9; --pic-stack: #16222a;
      --pic-box: #1e2c35; --pic-key: #fdba74; --pic-table: #5eead4; --pic-page: #10191f;
    }
  }
  [data-md-color-scheme="slate"] .picture {
    --pic-ink: #e6efef; --pic-soft: #b3c4c6; --pic-line: #4d6266; --pic-edge: #8fa5a9; --pic-stack: #16222a;
    --pic-box: #1e2c35; --pic-key: #fdba74; --pic-table: #5eead4;
  }
"""


def drawing(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """Return a whole picture."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" class="picture">',
            f"<title>{escape(title)}</title>",
            f"<style>{_CSS}</style>",
            "<defs>",
            *(
                f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
                f'markerUnits="userSpaceOnUse" orient="auto"><path class="{look}" d="M0 0 8 4 0 8z"/></marker>'
                for name, look in {
                    "picture-head": "picture-head",
                    "picture-key-head": "picture-on-key",
                    "picture-table-head": "picture-on-table",
                }.items()
            ),
            "</defs>",
            # Alone it may be on a page of the other brightness than the reader's system.
            f'<rect class="picture-page" width="{width}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def box(x: int, y: int, width: int, height: int, name: str, *notes: str, look: str = "box") -> Iterator[str]:
    """Yield a box with its name and what there is to say about it, a line each."""
    yield f'<rect class="picture-{look}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
    yield text(x + 12, y + 23, name, "name")
    for row, note in enumerate(notes):
        yield text(x + 12, y + 42 + 17 * row, note, "small")


def line(look: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return a straight arrow."""
    return path(look, f"M{start[0]} {start[1]} L{end[0]} {end[1]}")


def curve(look: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return an arrow that leaves and arrives level."""
    bend = 50 if end[0] > start[0] else -50
    return path(
        look, f"M{start[0]} {start[1]} C{start[0] + bend} {start[1]} {end[0] - bend} {end[1]} {end[0]} {end[1]}"
    )


def path(look: str, data: str) -> str:
    """Return a line of any form, as SVG describes it."""
    return f'<path class="picture-{look}" d="{data}"/>'


def text(x: int, y: int, words: str, look: str, *, end: bool = False) -> str:
    """Return a line of text that begins, or ends, at a place."""
    anchor = ' text-anchor="end"' if end else ""
    return f'<text class="picture-text picture-{look}" x="{x}" y="{y}"{anchor}>{escape(words)}</text>'
