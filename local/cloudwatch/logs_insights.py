"""CloudWatch Logs Insights, as far as the saved queries use it, over log events in memory.

Source: "CloudWatch Logs Insights query syntax" in the CloudWatch Logs user guide. Fields of JSON events are found by
their dotted path. Anything not understood is refused, never guessed.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from local.cloudwatch.metric_statistics import statistic_of

type Row = dict[str, Any]
#: Time in seconds, log group, message.
type LogEvent = tuple[float, str, str]

_SOURCE: Final = re.compile(r"SOURCE '([^']+)' \| ")
_LAMBDA_FIELDS: Final = {"@type": r"^(START|END|REPORT) ", "@initDuration": r"Init Duration: ([\d.]+) ms"}
_CONDITION: Final = re.compile(r"([@\w.]+)\s*(=|>=|in)\s*(.+)")
_AGGREGATE: Final = re.compile(r"(\w+)\(([^)]*)\)\s+as\s+(\w+)")


def log_query(query: str) -> tuple[list[str], str]:
    """Split the query of a log widget, which names its log groups itself, into log groups and commands."""
    return _SOURCE.findall(query), _SOURCE.sub("", query)


def run(query: str, events: Iterable[LogEvent]) -> list[Row]:
    """Return the result of a query: one row per line, without the fields that an event lacks.

    Parameters
    ----------
    query : str
        Commands, separated by pipes.
    events : iterable of LogEvent
        The log events; a query that names log groups reads only theirs.

    Raises
    ------
    ValueError
        If a command cannot be read.
    """
    groups, query = log_query(query)
    if groups:
        events = (event for event in events if event[1] in groups)
    rows = [_discovered(at, group, message) for at, group, message in events]
    for command in query.split("\n| "):
        name, _, rest = command.strip().partition(" ")
        if name not in _COMMANDS:
            raise ValueError(f"unknown command {name!r}")
        rows = _COMMANDS[name](rows, rest)
    return rows


def _discovered(at: float, group: str, message: str) -> Row:
    """Return the fields that Logs Insights discovers in an event."""
    row: Row = {"@timestamp": at, "@log": group, "@message": message}
    for field, pattern in _LAMBDA_FIELDS.items():
        if found := re.search(pattern, message):
            row[field] = found[1]
    try:
        document = json.loads(message)
    except ValueError:
        return row
    return row | _flattened(document) if isinstance(document, dict) else row


def _flattened(value: Any, path: str = "") -> Row:  # noqa: ANN401 (any JSON)
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if children is None:
        return {path: value}
    below = (_flattened(each, f"{path}.{key}" if path else str(key)) for key, each in children)
    return {key: each for part in below for key, each in part.items()}


def _filter(rows: list[Row], condition: str) -> list[Row]:
    tests = [_test(part) for part in condition.split(" or ")]
    return [row for row in rows if any(test(row) for test in tests)]


def _test(condition: str) -> Callable[[Row], bool]:
    match = _CONDITION.fullmatch(condition.strip())
    if match is None:
        raise ValueError(f"condition {condition!r}")
    field, operator, literal = match.groups()
    expected = json.loads(literal)
    if operator == "in":
        return lambda row: row.get(field) in expected
    if operator == ">=":
        return lambda row: field in row and float(row[field]) >= expected
    return lambda row: row.get(field) == expected


def _fields(rows: list[Row], names: str) -> list[Row]:
    """Keep the named fields; ``coalesce(a, b) as c`` adds a field and keeps all others."""
    if match := re.fullmatch(r"coalesce\(([^)]*)\) as (\w+)", names):
        sources = _names(match[1])
        for row in rows:
            present = [row[source] for source in sources if source in row]
            if present:
                row[match[2]] = present[0]
        return rows
    return [{name: row[name] for name in _names(names) if name in row} for row in rows]


def _parse(rows: list[Row], rest: str) -> list[Row]:
    match = re.fullmatch(r"(@\w+) /(.*)/", rest)
    if match is None:
        raise ValueError(f"parse {rest!r}")
    pattern = re.compile(match[2].replace("(?<", "(?P<"))
    return [row | (found.groupdict() if (found := pattern.search(str(row[match[1]]))) else {}) for row in rows]


def _stats(rows: list[Row], rest: str) -> list[Row]:
    aggregates, _, by = rest.partition(" by ")
    keys = _names(by)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    found = _AGGREGATE.findall(aggregates)
    if not found or re.sub(r"[\s,]", "", _AGGREGATE.sub("", aggregates)):
        raise ValueError(f"stats {aggregates!r}")
    return [
        dict(zip(keys, group, strict=True)) | {alias: _aggregate(name, of, members) for name, of, alias in found}
        for group, members in groups.items()
    ]


def _aggregate(name: str, of: str, rows: Sequence[Row]) -> Any:  # noqa: ANN401 (numbers and texts)
    field, *parameters = _names(of) or [""]
    values = [row[field] for row in rows if field in row]
    match name:
        case "count":
            return len(values) if field else len(rows)
        case "count_distinct":
            return len(set(values))
        case "min" | "max":
            return {"min": min, "max": max}[name]((float(value) for value in values), default=None)
        case "pct":
            return statistic_of([float(value) for value in values], f"p{parameters[0]}") if values else None
    raise ValueError(f"{name} is not implemented")


def _sort(rows: list[Row], rest: str) -> list[Row]:
    field, _, direction = rest.partition(" ")
    return sorted(rows, key=lambda row: row.get(field) or 0, reverse=direction == "desc")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


_COMMANDS: Final[Mapping[str, Callable[[list[Row], str], list[Row]]]] = {
    "filter": _filter,
    "fields": _fields,
    "parse": _parse,
    "stats": _stats,
    "sort": _sort,
    "limit": lambda rows, rest: rows[: int(rest)],
}
