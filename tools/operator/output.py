"""What the commands print: tables for people on standard error, JSON for programs on standard output."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from local.terminal import console
from tools.operator.account import Summary


def say(text: str) -> None:
    """Print a message to the operator."""
    console(sys.stderr).print(text, markup=False)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one line of JSON to standard output."""
    print(json.dumps(value), flush=True)


def print_summaries(**shown: Summary) -> None:
    """Print states of a user's second factor side by side, each under its name."""
    table = Table("", *shown, box=box.SIMPLE, show_header=len(shown) > 1)
    for key in dict.fromkeys(key for summary in shown.values() for key in summary):
        values = [_cell(summary[key]) if key in summary else "" for summary in shown.values()]
        changed = len(set(values)) > 1
        table.add_row(key.replace("_", " "), *values, style="bold" if changed else None)
    console(sys.stderr).print(table)


def print_counts(rows: Mapping[str, int], meanings: Mapping[str, str]) -> None:
    """Print numbers with their names, and what the names mean."""
    table = Table(box=box.SIMPLE, show_header=False)
    for name, count in rows.items():
        table.add_row(escape(name), f"{count:,}", escape(meanings.get(name, "")))
    console(sys.stderr).print(table)


def _cell(value: object) -> str:
    return "-" if value is None else escape(str(value))
