"""Writes the figures of a run into ``docs/performance.md``, between the marks that name them."""

import re
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY
from tools.bench.results import Results
from tools.bench.tables import BLOCKS

FILE: Final = REPOSITORY / "docs" / "performance.md"
_MARKED = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_figures(text: str, results: Results) -> str:
    """Return the document with every marked block replaced.

    Raises
    ------
    ValueError
        A mark names no block, or a block is in no mark.
    """
    named = {match[2] for match in _MARKED.finditer(text)}
    if named != BLOCKS.keys():
        raise ValueError(f"marks and blocks differ: {sorted(named ^ BLOCKS.keys())}")
    return _MARKED.sub(lambda match: match[1] + BLOCKS[match[2]](results) + "\n" + match[3], text)


def write(results: Results, path: Path = FILE) -> None:
    """Bring the document up to date."""
    path.write_text(with_figures(path.read_text(), results))
