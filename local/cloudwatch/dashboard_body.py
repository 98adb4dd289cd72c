"""Checks whether CloudWatch would accept a dashboard body, and finds the metrics on it.

Source: "Dashboard body structure and syntax" in the CloudWatch API reference. CloudWatch accepts some bodies that
break these rules and then shows an empty widget; here each is a problem.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final

GRID_COLUMNS: Final = 24
MAX_WIDGETS: Final = 500
MAX_HEIGHT: Final = 1000
MAX_METRICS_PER_WIDGET: Final = 500
MAX_ALARMS_PER_WIDGET: Final = 100
_VIEWS: Final = {"timeSeries", "singleValue", "gauge", "bar", "pie", "table"}
_ALARM_STATES: Final = {"ALARM", "INSUFFICIENT_DATA", "OK"}
_IDENTIFIER: Final = re.compile(r"[a-z][A-Za-z0-9_]*")


def problems(body: Mapping[str, Any]) -> list[str]:
    """Return the problems of a dashboard body; none if CloudWatch would accept it."""
    widgets = body.get("widgets")
    if not isinstance(widgets, list) or not widgets:
        return ["a dashboard has a list of widgets"]
    found = [f"more than {MAX_WIDGETS} widgets"] if len(widgets) > MAX_WIDGETS else []
    for index, widget in enumerate(widgets):
        title = (widget.get("properties") or {}).get("title", "")
        found += [f"widget {index} ({widget.get('type')} {title!r}): {problem}" for problem in _widget(widget)]
    for (one, first), (other, second) in combinations(enumerate(widgets), 2):
        if _overlap(first, second):
            found.append(f"widgets {one} and {other} overlap")
    return found


def with_input(body: dict[str, Any], text: str) -> dict[str, Any]:
    """Return a body with text in its input field, as CloudWatch shows it: the text replaces the field's pattern.

    Source: "Use dashboard variables" in the CloudWatch user guide. Without a field, or without text, nothing changes.
    """
    for variable in body.get("variables", []):
        if text and variable["type"] == "pattern" and variable["inputType"] == "input":
            widgets = json.dumps(body["widgets"]).replace(variable["pattern"], json.dumps(text)[1:-1])
            return body | {"widgets": json.loads(widgets)}
    return body


def metrics_shown(body: Mapping[str, Any]) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Return namespace, name and dimensions of every metric on the dashboard, those inside expressions included."""
    shown = set()
    for widget in body["widgets"]:
        for metric in expand_metrics(widget.get("properties", {}).get("metrics", [])):
            if isinstance(metric[0], str):
                namespace, name, *pairs = (part for part in metric if isinstance(part, str))
                shown.add((namespace, name, tuple(sorted(zip(pairs[::2], pairs[1::2], strict=True)))))
    return shown


def expand_metrics(metrics: list[list[Any]]) -> Iterator[list[Any]]:
    """Yield a widget's metrics with the shorthand ``.`` (same as above) and ``...`` (all but the last) written out."""
    above: list[Any] = []
    for metric in metrics:
        names = [part for part in metric if isinstance(part, str)]
        options = [part for part in metric if not isinstance(part, str)]
        if names[:1] == ["..."]:
            names = above[: len(above) - len(names) + 1] + names[1:]
        names = [above[index] if name == "." else name for index, name in enumerate(names)]
        above = names or above
        yield names + options


def _overlap(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    def apart(start: str, size: str) -> bool:
        return bool(first[start] + first[size] <= second[start] or second[start] + second[size] <= first[start])

    if not all(isinstance(each.get(key), int) for each in (first, second) for key in ("x", "y", "width", "height")):
        return False  # reported by itself
    return not apart("x", "width") and not apart("y", "height")


def _widget(widget: Mapping[str, Any]) -> Iterator[str]:
    sizes = {key: widget.get(key) for key in ("x", "y", "width", "height")}
    if not all(isinstance(size, int) for size in sizes.values()):
        yield "x, y, width and height are whole numbers"
    else:
        if not (widget["x"] >= 0 and widget["width"] >= 1 and widget["x"] + widget["width"] <= GRID_COLUMNS):
            yield f"leaves the {GRID_COLUMNS} columns"
        if not (widget["y"] >= 0 and 1 <= widget["height"] <= MAX_HEIGHT):
            yield "is too high or too low"
    check = _PROPERTIES.get(str(widget.get("type")))
    if check is None:
        yield "has no known type"
    elif not isinstance(widget.get("properties"), dict):
        yield "has no properties"
    else:
        yield from check(widget["properties"])


def _text(properties: Mapping[str, Any]) -> Iterator[str]:
    if not properties.get("markdown"):
        yield "has no text"


def _log(properties: Mapping[str, Any]) -> Iterator[str]:
    if "SOURCE" not in properties.get("query", ""):
        yield "has no query with a source"
    if not properties.get("region"):
        yield "has no region"


def _alarm(properties: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= len(properties.get("alarms", ())) <= MAX_ALARMS_PER_WIDGET:
        yield f"shows 1 to {MAX_ALARMS_PER_WIDGET} alarms"
    if not _ALARM_STATES.issuperset(properties.get("states", ())):
        yield "shows alarms of an unknown state"


def _metric(properties: Mapping[str, Any]) -> Iterator[str]:
    if not properties.get("region"):
        yield "has no region"
    if properties.get("view", "timeSeries") not in _VIEWS:
        yield "has no known view"
    if properties.get("view") == "gauge" and not {"min", "max"} <= properties.get("yAxis", {}).get("left", {}).keys():
        yield "is a gauge without a lowest and a highest value"
    metrics = properties.get("metrics", [])
    if not 1 <= len(metrics) <= MAX_METRICS_PER_WIDGET:
        yield f"shows 1 to {MAX_METRICS_PER_WIDGET} metrics"
        return
    identifiers = [part["id"] for metric in metrics for part in metric if isinstance(part, dict) and "id" in part]
    if len(identifiers) != len(set(identifiers)):
        yield "uses one id twice"
    invalid = (each for each in identifiers if not _IDENTIFIER.fullmatch(each))
    yield from (f"id {each!r} does not begin with a small letter" for each in invalid)
    for metric in expand_metrics(metrics):
        names = [part for part in metric if isinstance(part, str)]
        options = metric[-1] if isinstance(metric[-1], dict) else {}
        if not names:
            if not options.get("expression"):
                yield "has an entry that is neither metric nor expression"
        elif len(names) < 2 or len(names) % 2:
            yield f"metric {names}: a namespace, a name, and pairs of dimensions"


_PROPERTIES: Final[dict[str, Callable[[Mapping[str, Any]], Iterator[str]]]] = {
    "text": _text,
    "log": _log,
    "alarm": _alarm,
    "metric": _metric,
}
