"""Replaces generated blocks in Markdown pages, which stand between comments that name them.

A block begins with ``<!-- KIND: NAME -->`` on a line of its own and ends with ``<!-- end -->``.
"""

import re
from collections.abc import Mapping


def with_blocks(text: str, kind: str, blocks: Mapping[str, str]) -> str:
    """Return the page with the content of every block of a kind replaced.

    Parameters
    ----------
    text
        The page.
    kind
        The first word of the comments, such as ``diagram``.
    blocks
        The new content by the block's name, without a newline at its end.

    Raises
    ------
    ValueError
        The page lacks one of the blocks, or has one that is not among them.
    """
    pattern = re.compile(rf"(<!-- {kind}: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    named = {match[2] for match in pattern.finditer(text)}
    if named != blocks.keys():
        raise ValueError(f"The page and the code do not have the same {kind} blocks: {sorted(named ^ blocks.keys())}")
    return pattern.sub(lambda match: f"{match[1]}{blocks[match[2]]}\n{match[3]}", text)
