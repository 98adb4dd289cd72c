"""Templates as text for a review: readable references, JSON within strings as JSON, short values on one line."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_WIDTH: Final = 120
#: The end of the logical ids of a function's versions and the API's deployments: CDK derives it from the content.
_DIGEST: Final = re.compile(r"(?<=[0-9A-F]{8})[0-9a-f]{32}(?=[\"}.])")
#: Long, and covered by other tests.
_LEFT_OUT: Final = ("DashboardBody", "QueryString")


def readable(template: Mapping[str, Any]) -> str:
    """Return a template as text, without the digests that change with the code."""
    parts = {part: template[part] for part in ("Description", "Resources", "Outputs") if part in template}
    return _DIGEST.sub("<digest>", _compact(simplified(parts))) + "\n"


def simplified(value: Any) -> Any:
    """Return a part of a template with references such as ``${Table.Arn}``, and JSON text parsed."""
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::GetStackOutput": {"StackName": str(stack), "OutputName": str(output)}}:
            return f"${{{stack}:{output}}}"
        case {"Fn::Join": [str(separator), list(parts)]}:
            return simplified(separator.join(str(simplified(part)) for part in parts))
        case dict():
            return {key: "..." if key in _LEFT_OUT else simplified(each) for key, each in value.items()}
        case list():
            return [simplified(each) for each in value]
        case str() if value.startswith("{") and value.endswith("}"):
            return _parsed(value)
        case _:
            return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _compact(value: Any, indent: str = "", prefix: str = "") -> str:
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(indent) + len(prefix) + len(line) < _WIDTH or not isinstance(value, dict | list):
        return line
    deeper = indent + " "
    if isinstance(value, list):
        parts = [_compact(each, deeper) for each in value]
        opening, closing = "[]"
    else:
        keys = {key: f"{json.dumps(key)}: " for key in sorted(value)}
        parts = [text + _compact(value[key], deeper, text) for key, text in keys.items()]
        opening, closing = "{}"
    return f"{opening}\n" + ",\n".join(deeper + part for part in parts) + f"\n{indent}{closing}"
