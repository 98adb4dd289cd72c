"""The picture of the architecture: what is in it comes from the templates, where it is on the page from here.

The SVG stands alone, light or dark as the reader's system is; as part of a page of the site it takes the page's
colours.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY
from tools.docsite.drawing import box, curve, drawing, line, path, text
from tools.docsite.topology import Function, Part, Topology, read_topology

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
    title = "The stacks of an environment, and what its functions may do"
    return drawing(_WIDTH, _HEIGHT, title, parts)


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
        yield text(x + 12, y + 20, f"stack {name}", "name")
        yield text(x + 12, y + 36, note, "small")


def _callers() -> Iterator[str]:
    yield from box(_LEFT, 330, _LEFT_WIDTH, 76, "App or backend", "with the user's", "access token")


def _gateway(topology: Topology) -> Iterator[str]:
    yield from box(_LEFT + 12, 62, _LEFT_WIDTH - 24, 70, "OIDC issuer", "Cognito user pool")
    parts = {
        "AWS::ApiGateway::RestApi": "REST, stage v1",
        "AWS::ApiGateway::DomainName": "domain",
        "AWS::WAFv2::WebACL": "firewall (WAF)",
        "AWS::ApiGateway::Authorizer": "authorizer",
        "AWS::ApiGateway::Stage": "throttling",
        "AWS::ApiGateway::GatewayResponse": "its own answers",
    }
    bottom = _function_y(topology, _routes(topology)[-1]) + _FUNCTION_HEIGHT
    yield from box(
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
        yield text(left, y + 20, function.folder, "name")
        yield text(left, y + 38, function.route or _behind_no_route(topology, function), "code")
        yield text(left, y + 56, " ".join(function.grants.get(Part.TABLE, ())), "code picture-on-table")
        yield text(right, y + 56, " ".join(function.grants.get(Part.KEY, ())), "code picture-on-key", end=True)
        if function.folder == topology.stream_reader:
            own = [*function.grants.get(Part.BUS, ()), *function.grants.get(Part.DEAD_LETTERS, ())]
            yield text(left, y + 56, " ".join(own), "code")


def _behind_no_route(topology: Topology, function: Function) -> str:
    if function.folder == topology.authorizer:
        return "asked about every request"
    if function.folder == topology.stream_reader:
        return "called with the table's stream"
    raise ValueError(f"No place in the picture for {function.folder}: nothing calls it")


def _data(topology: Topology) -> Iterator[str]:
    replica = ["has a replica elsewhere"] if topology.has("AWS::KMS::ReplicaKey") else []
    yield from box(
        _DATA_X, _KEY_Y, _DATA_WIDTH, 92, "KMS key", "seals TOTP secrets, for the", "purpose mfa-totp alone", *replica
    )
    yield from box(
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
    yield from box(_DATA_X, _STREAM_Y, _DATA_WIDTH, 54, "Stream", "new and old images")


def _events() -> Iterator[str]:
    yield from box(_DATA_X, _READER_Y + 6, _DATA_WIDTH, 54, "EventBridge bus", "security events, for your rules")
    yield from box(_GATEWAY_X, _READER_Y + 6, _GATEWAY_WIDTH, 54, "Dead letters", "SQS, two weeks")


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
        yield from box(_GATEWAY_X + 187 * column, _MONITORING_Y + 52, 175, 54, name, note)


def _arrows(topology: Topology) -> Iterator[str]:
    gateway_right = _GATEWAY_X + _GATEWAY_WIDTH
    start = _FUNCTION_X + _FUNCTION_WIDTH
    yield line("arrow", (_LEFT + _LEFT_WIDTH, 368), (_GATEWAY_X, 368))
    yield path("arrow", f"M{gateway_right - 40} {_FIRST_ROUTE_Y} V{_AUTHORIZER_Y + 54} H{_FUNCTION_X}")
    yield line("arrow", (_FUNCTION_X, _AUTHORIZER_Y + 28), (_LEFT + _LEFT_WIDTH - 12, _AUTHORIZER_Y + 28))
    yield text(_GATEWAY_X, _AUTHORIZER_Y + 22, "signing keys (JWKS)", "small")
    for function in _routes(topology):
        y = _function_y(topology, function) + _FUNCTION_HEIGHT // 2
        yield line("arrow", (gateway_right, y), (_FUNCTION_X, y))
    for part, box_y, height, shift in ((Part.KEY, _KEY_Y, 92, -10), (Part.TABLE, _TABLE_Y, 106, 12)):
        users = [each for each in topology.functions if part in each.grants]
        for place, function in enumerate(users, start=1):
            y = _function_y(topology, function) + _FUNCTION_HEIGHT // 2 + shift
            end = box_y + round(height * place / (len(users) + 1))
            yield curve(part, (start, y), (_DATA_X, end))
    reader = topology.function(topology.stream_reader)
    middle = _DATA_X + _DATA_WIDTH // 2
    yield line("arrow", (middle, _TABLE_Y + 106), (middle, _STREAM_Y))
    if Part.STREAM in reader.grants:
        yield curve("arrow", (_DATA_X, _STREAM_Y + 27), (start, _READER_Y + 16))
    if Part.BUS in reader.grants:
        yield line("arrow", (start, _READER_Y + 40), (_DATA_X, _READER_Y + 40))
    if Part.DEAD_LETTERS in reader.grants:
        yield line("arrow", (_FUNCTION_X, _READER_Y + 33), (gateway_right, _READER_Y + 33))
    yield line("arrow", (_FUNCTION_X + 40, 708), (_FUNCTION_X + 40, _MONITORING_Y))


def _routes(topology: Topology) -> list[Function]:
    return [each for each in topology.functions if each.route]


def _function_y(topology: Topology, function: Function) -> int:
    """Return the top of a function's box: the authorizer above the routes, what reads the stream below them."""
    if function.folder == topology.authorizer:
        return _AUTHORIZER_Y
    if function.folder == topology.stream_reader:
        return _READER_Y
    return _FIRST_ROUTE_Y + _ROW * _routes(topology).index(function)
