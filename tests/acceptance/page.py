"""Write the list of assumptions into docs/assumptions.md: ``python -m tests.acceptance.page``."""

import sys
from typing import Final

from infra.paths import REPOSITORY
from tests.acceptance.catalogue import ASSUMPTIONS
from tests.acceptance.model import Assumption
from tools.marked_blocks import with_blocks

PAGE: Final = REPOSITORY / "docs" / "assumptions.md"
_LONG: Final = "Only with `--long`."


def text(page: str) -> str:
    """Return the page with the current list."""
    rows = ["| Assumption | Check | If it does not hold, change |", "|---|---|---|", *map(_row, ASSUMPTIONS)]
    return with_blocks(page, "assumptions", {"list": "\n".join(rows)})


def _row(assumption: Assumption) -> str:
    only = f"Cannot be checked locally: {assumption.only_on_aws}." if assumption.only_on_aws else ""
    check = " ".join(filter(None, (assumption.checked, only, _LONG if assumption.long else "")))
    return f"| `{assumption.key}` {assumption.assumed} [Source]({assumption.source}) | {check} | {assumption.remedy} |"


def main() -> int:
    """Write the page."""
    PAGE.write_text(text(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
