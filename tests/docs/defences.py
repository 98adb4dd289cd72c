"""The table of defences in ``docs/security.md``: ``python -m tests.docs.defences`` writes it anew."""

import sys
from typing import Final

from tests.attack.defences import DEFENCES, Defence
from tests.support.pages import DOCS

PAGE: Final = DOCS / "security.md"
BEGIN: Final = "<!-- defences: python -m tests.docs.defences -->\n"
END: Final = "<!-- end of defences -->\n"


def table() -> str:
    """Return the table as it should be on the page."""
    rows = ("| Defence | Stops | In | Missed by |", "|---|---|---|---|", *map(_row, DEFENCES))
    return "\n".join(rows) + "\n"


def _row(defence: Defence) -> str:
    tests = ", ".join(_link(test) for test in defence.noticed_by)
    return f"| {defence.name} | {defence.stops} | [`{defence.file}`](../{defence.file}) | {tests} |"


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[`{name.replace('|', '&#124;')}`](../{file})"


def main() -> int:
    """Write the table; return the exit status."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + table() + END + after)
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
