"""The results as a table for people, or as JSON for programs."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.acceptance.model import Result, Verdict

_STYLES: Final = {Verdict.HOLDS: "green", Verdict.DOES_NOT_HOLD: "bold red", Verdict.UNKNOWN: "yellow"}
#: A pipeline's log wraps no lines.
_WIDTH_WITHOUT_TERMINAL: Final = 160


def console() -> Console:
    """Return the standard output, wide enough for the table in a pipeline's log."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_WIDTH_WITHOUT_TERMINAL)


def show(results: Sequence[Result], on: Console) -> None:
    """Print the table, and below it what to change for each assumption that does not hold."""
    table = Table("Assumption", "Result", "What was seen", box=box.SIMPLE_HEAD, padding=(0, 1, 1, 1))
    for result in results:
        style = _STYLES[result.verdict]
        table.add_row(
            f"[bold]{result.assumption.key}[/]\n{escape(result.assumption.assumed)}",
            f"[{style}]{result.verdict}[/]",
            escape(result.detail),
        )
    on.print(table)
    for result in results:
        if result.verdict is Verdict.DOES_NOT_HOLD:
            on.print(f"[bold red]{result.assumption.key} does not hold:[/] {escape(result.detail)}")
            on.print(f"  What to change: {escape(result.assumption.remedy)}")
            on.print(f"  Read at {escape(result.assumption.source)}")
    counted = Counter(result.verdict for result in results)
    on.print(", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict))


def as_json(results: Sequence[Result]) -> str:
    """Return a JSON array with an object for each assumption."""
    return json.dumps([_document(result) for result in results], indent=2)


def _document(result: Result) -> dict[str, Any]:
    assumption = result.assumption
    return {
        "key": assumption.key,
        "assumed": assumption.assumed,
        "source": assumption.source,
        "checked": assumption.checked,
        "remedy": assumption.remedy,
        "result": result.verdict,
        "detail": result.detail,
        "seconds": result.seconds,
    }
