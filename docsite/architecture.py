"""The picture of the architecture: what is in it comes from the templates, where it is on the page from here.

The SVG stands alone, light or dark as the reader's system is; as part of a page of the site it takes the page's
colours.
"""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Final

from docsite.hooks import REPOSITORY
from docsite.topology import Function, Part, Topology, read_topology

PICTURE: Final = REPOSITORY / "docs" / "images" / "architecture.svg"

_WIDTH: Final = 960
_HEIGHT: Final = 856
#: From left to right: who calls, the gateway, the functions, what they act on.
_LEFT: Final = 12
_LEFT_WIDTH: Final = 148
_SERVICE_X: Final = 178
_GATEWAY_X: Final = 192
_GATEWAY_WIDTH: Final = 122
_FUNCTION_X: Final = 352
_FUNCTION_WIDTH: Final = 300
_DATA_X: Final = 728
_DATA_WIDTH: Final = 206
#: From top to bottom: the authorizer, the routes, what reads the table's stream, monitoring.
_TOP: Final = 12
_FUNCTION_HEIGHT: Final = 66
_AUTHORIZER_Y: Final = 52
_FIRST_ROUTE_Y: Final = 140
_ROW: Final = 76
_READER_Y: Final = 620
_MONITORING_Y: Final = 728
_KEY_Y: Final = 76
_TABLE_Y: Final = 330
_STREAM_Y: Final = 486
_CSS: Final = """
  .picture-text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--pic-ink) }
  .picture-name { font-weight: 600 }
  .picture-small { font-size: 11.5px; fill: var(--pic-soft) }
  .picture-code { font: 11.5px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--pic-soft) }
  .picture-stack { fill: var(--pic-stack); stroke: var(--pic-line); stroke-dasharray: 5 4 }
  .picture-box { fill: var(--pic-box); stroke: var(--pic-edge) }
  .picture-seals { fill: var(--pic-box); stroke: var(--pic-key); stroke-width: 1.6 }
  .picture-arrow { fill: none; stroke: var(--pic-edge); stroke-width: 1.3; marker-end: url(#picture-head) }
  .picture-key { fill: none; stroke: var(--pic-key); stroke-width: 1.5; marker-end: url(#picture-key-head) }
  .picture-table { fill: none; stroke: var(--pic-table); stroke-width: 1.5; marker-end: url(#picture-table-head) }
  .picture-on-key { fill: var(--pic-key) }
  .picture-on-table { fill: var(--pic-table) }
  .picture-head { fill: var(--pic-edge) }
  .picture {
    --pic-ink: #17252a; --pic-soft: #4b5d63; --pic-line: #9fb3b5; --pic-edge: #5b7076; --pic-stack: #f4f8f8;
    --pic-box: #ffffff; --pic-key: #9a3412; --pic-table: #115e59;
  }
  @media (prefers-color-scheme: dark) {
    .picture:not([aria-label]) {
      --pic-ink: #e6efef; --pic-soft: #b3c4c6; --pic-line: #4d6266; --pic-edge: #8fa5a9; --pic-stack: #16222a;
      --pic-box: #1e2c35; --pic-key: #fdba74; --pic-table: #5eead4;
    }
  }
  [data-md-color-scheme="slate"] .picture {
    --pic-ink: #e6efef; --pic-soft: #b3c4c6; --pic-line: #4d6266; --pic-edge: #8fa5a9; --pic-stack: #16222a;
    --pic-box: #1e2c35; --pic-key: #fdba74; --pic-table: #5eead4;
  }
"""


def draw(path: Path = PICTURE) -> Path:
    """Draw the picture from the committed templates into a file, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture(read_topology()))
    return path


def picture(topology: Topology) -> str:
    """Return the picture as SVG: the same text for the same templates."""
    parts = [
        *_stacks(topology),
        *_arrows(topology),
        *_callers(),
        *_gateway(topology),
        *_functions(topology),
        *_data(topology),
        *_events(),
        *_monitoring(topology),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" class="picture">',
            "<title>The stacks of an environment, and what its functions may do</title>",
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
            *parts,
            "</svg>\n",
        ]
    )


def _stacks(topology: Topology) -> Iterator[str]:
    service = _FUNCTION_X + _FUNCTION_WIDTH + 16 - _SERVICE_X
    right = _DATA_X - 16
    places = {
        "identity": (_LEFT, _TOP, _LEFT_WIDTH, 134, "or an issuer of yours"),
        "service": (_SERVICE_X, _TOP, service, 696, "functions, API, releases"),
        "data": (right, _TOP, _DATA_WIDTH + 32, 550, "kept and protected in prod"),
        "monitoring": (
            _SERVICE_X,
            _MONITORING_Y,
            right + _DATA_WIDTH + 32 - _SERVICE_X,
            118,
            "on the metrics in the logs, and those of AWS",
        ),
    }
    known = set(places) | {name for name in topology.stacks if name.startswith("replica-")}
    if set(topology.stacks) - known:
        raise ValueError(f"No place in the picture for the stacks {sorted(set(topology.stacks) - known)}")
    for name, (x, y, width, height, note) in places.items():
        yield f'<rect class="picture-stack" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>'
        yield _text(x + 12, y + 20, f"stack {name}", "name")
        yield _text(x + 12, y + 36, note, "small")


def _callers() -> Iterator[str]:
    yield from _box(_LEFT, 330, _LEFT_WIDTH, 76, "App or backend", "with the user's", "access token")


def _gateway(topology: Topology) -> Iterator[str]:
    yield from _box(_LEFT + 12, 62, _LEFT_WIDTH - 24, 70, "OIDC issuer", "Cognito user pool")
    parts = {
        "AWS::ApiGateway::RestApi": "REST, stage v1",
        "AWS::ApiGateway::DomainName": "domain",
        "AWS::WAFv2::WebACL": "firewall (WAF)",
        "AWS::ApiGateway::Authorizer": "authorizer",
        "AWS::ApiGateway::Stage": "throttling",
        "AWS::ApiGateway::GatewayResponse": "its own answers",
    }
    bottom = _function_y(topology, _routes(topology)[-1]) + _FUNCTION_HEIGHT
    yield from _box(
        *(_GATEWAY_X, _FIRST_ROUTE_Y, _GATEWAY_WIDTH, bottom - _FIRST_ROUTE_Y),
        *("API Gateway", *(text for kind, text in parts.items() if topology.has(kind))),
    )


def _functions(topology: Topology) -> Iterator[str]:
    for function in topology.functions:
        y = _function_y(topology, function)
        look = "seals" if "GenerateDataKey" in function.grants.get(Part.KEY, ()) else "box"
        left, right = _FUNCTION_X + 12, _FUNCTION_X + _FUNCTION_WIDTH - 12
        yield (
            f'<rect class="picture-{look}" x="{_FUNCTION_X}" y="{y}" width="{_FUNCTION_WIDTH}" '
            f'height="{_FUNCTION_HEIGHT}" rx="6"/>'
        )
        yield _text(left, y + 20, function.folder, "name")
        yield _text(left, y + 38, function.route or _behind_no_route(topology, function), "code")
        yield _text(left, y + 56, " ".join(function.grants.get(Part.TABLE, ())), "code picture-on-table")
        yield _text(right, y + 56, " ".join(function.grants.get(Part.KEY, ())), "code picture-on-key", end=True)
        if function.folder == topology.stream_reader:
            own = [*function.grants.get(Part.BUS, ()), *function.grants.get(Part.DEAD_LETTERS, ())]
            yield _text(left, y + 56, " ".join(own), "code")


def _behind_no_route(topology: Topology, function: Function) -> str:
    if function.folder == topology.authorizer:
        return "asked about every request"
    if function.folder == topology.stream_reader:
        return "called with the table's stream"
    raise ValueError(f"No place in the picture for {function.folder}: nothing calls it")


def _data(topology: Topology) -> Iterator[str]:
    replica = ["has a replica elsewhere"] if topology.has("AWS::KMS::ReplicaKey") else []
    yield from _box(
        _DATA_X, _KEY_Y, _DATA_WIDTH, 92, "KMS key", "seals TOTP secrets, for the", "purpose mfa-totp alone", *replica
    )
    yield from _box(
        _DATA_X,
        _TABLE_Y,
        _DATA_WIDTH,
        106,
        "DynamoDB table",
        "one item a user: pk, sk",
        "expires_at ends what is",
        "pending; recovery to any",
        "point in time",
    )
    yield from _box(_DATA_X, _STREAM_Y, _DATA_WIDTH, 54, "Stream", "new and old images")


def _events() -> Iterator[str]:
    yield from _box(_DATA_X, _READER_Y + 6, _DATA_WIDTH, 54, "EventBridge bus", "security events, for your rules")
    yield from _box(_GATEWAY_X, _READER_Y + 6, _GATEWAY_WIDTH, 54, "Dead letters", "SQS, two weeks")


def _monitoring(topology: Topology) -> Iterator[str]:
    counts = topology.counts["monitoring"]
    alarms = counts["AWS::CloudWatch::Alarm"] + counts["AWS::CloudWatch::CompositeAlarm"]
    boxes: Mapping[str, str] = {
        f"{alarms} alarms": "each with its runbook",
        f"{counts['AWS::CloudWatch::Dashboard']} dashboards": "health, functions",
        f"{counts['AWS::Logs::QueryDefinition']} saved queries": "CloudWatch Logs Insights",
        f"{counts['AWS::SNS::Topic']} topics": "alerts and pages",
    }
    for column, (name, note) in enumerate(boxes.items()):
        yield from _box(_GATEWAY_X + 187 * column, _MONITORING_Y + 52, 175, 54, name, note)


def _arrows(topology: Topology) -> Iterator[str]:
    gateway_right = _GATEWAY_X + _GATEWAY_WIDTH
    start = _FUNCTION_X + _FUNCTION_WIDTH
    yield _line("arrow", (_LEFT + _LEFT_WIDTH, 368), (_GATEWAY_X, 368))
    yield _path("arrow", f"M{gateway_right - 40} {_FIRST_ROUTE_Y} V{_AUTHORIZER_Y + 54} H{_FUNCTION_X}")
    yield _line("arrow", (_FUNCTION_X, _AUTHORIZER_Y + 28), (_LEFT + _LEFT_WIDTH - 12, _AUTHORIZER_Y + 28))
    yield _text(_GATEWAY_X, _AUTHORIZER_Y + 22, "signing keys (JWKS)", "small")
    for function in _routes(topology):
        y = _function_y(topology, function) + _FUNCTION_HEIGHT // 2
        yield _line("arrow", (gateway_right, y), (_FUNCTION_X, y))
    for part, box_y, height, shift in ((Part.KEY, _KEY_Y, 92, -10), (Part.TABLE, _TABLE_Y, 106, 12)):
        users = [each for each in topology.functions if part in each.grants]
        for place, function in enumerate(users, start=1):
            y = _function_y(topology, function) + _FUNCTION_HEIGHT // 2 + shift
            end = box_y + round(height * place / (len(users) + 1))
            yield _curve(part, (start, y), (_DATA_X, end))
    reader = topology.function(topology.stream_reader)
    middle = _DATA_X + _DATA_WIDTH // 2
    yield _line("arrow", (middle, _TABLE_Y + 106), (middle, _STREAM_Y))
    if Part.STREAM in reader.grants:
        yield _curve("arrow", (_DATA_X, _STREAM_Y + 27), (start, _READER_Y + 16))
    if Part.BUS in reader.grants:
        yield _line("arrow", (start, _READER_Y + 40), (_DATA_X, _READER_Y + 40))
    if Part.DEAD_LETTERS in reader.grants:
        yield _line("arrow", (_FUNCTION_X, _READER_Y + 33), (gateway_right, _READER_Y + 33))
    yield _line("arrow", (_FUNCTION_X + 40, 708), (_FUNCTION_X + 40, _MONITORING_Y))


def _routes(topology: Topology) -> list[Function]:
    return [each for each in topology.functions if each.route]


def _function_y(topology: Topology, function: Function) -> int:
    """Return the top of a function's box: the authorizer above the routes, what reads the stream below them."""
    if function.folder == topology.authorizer:
        return _AUTHORIZER_Y
    if function.folder == topology.stream_reader:
        return _READER_Y
    return _FIRST_ROUTE_Y + _ROW * _routes(topology).index(function)


def _box(x: int, y: int, width: int, height: int, name: str, *notes: str) -> Iterator[str]:
    yield f'<rect class="picture-box" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
    yield _text(x + 12, y + 23, name, "name")
    for row, note in enumerate(notes):
        yield _text(x + 12, y + 42 + 17 * row, note, "small")


def _line(look: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    return _path(look, f"M{start[0]} {start[1]} L{end[0]} {end[1]}")


def _curve(look: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    """Leave and arrive level."""
    bend = 50 if end[0] > start[0] else -50
    return _path(
        look, f"M{start[0]} {start[1]} C{start[0] + bend} {start[1]} {end[0] - bend} {end[1]} {end[0]} {end[1]}"
    )


def _path(look: str, path: str) -> str:
    return f'<path class="picture-{look}" d="{path}"/>'


def _text(x: int, y: int, text: str, look: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text class="picture-text picture-{look}" x="{x}" y="{y}"{anchor}>{escape(text)}</text>'
