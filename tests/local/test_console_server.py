"""The console's server: who gets what, and what its pages may do."""

import dataclasses
import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from html.parser import HTMLParser
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local import origins, ports, users
from local.console import server
from local.console.server import PAGES, Console, Reply
from local.errors import LocalError
from local.stack import Stack, StackFolder
from tests.local.example import STACK

PORT = 5566
ORIGIN = f"http://127.0.0.1:{PORT}"
OWN_PAGE = {"host": f"127.0.0.1:{PORT}", "origin": ORIGIN, "sec-fetch-site": "same-origin"}
ANY_PATH = ["/", "/config.json", "/operations/data.json", "/docs/runbook", "/nothing"]
OTHER_ORIGINS = (f"http://localhost:{PORT}", "http://127.0.0.1:4566", f"https://127.0.0.1:{PORT}")
JSON = {"content-type": "application/json"}


@pytest.fixture
def folder(tmp_path: Any) -> StackFolder:
    """Return the place of a stack that is deployed."""
    folder = StackFolder(4566, tmp_path)
    folder.create()
    STACK.save(folder.state)
    return folder


@pytest.fixture
def console(folder: StackFolder) -> Console:
    return Console(folder, PORT, lambda stack, span, find: {"api": stack.api_url, "span": span, "find": find})


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the user pool issue a token for any name; returns the names."""
    names: list[str] = []

    def token(stack: Stack, user: str) -> str:
        assert stack == STACK
        names.append(user)
        return f"token of {user}"

    monkeypatch.setattr(users, "token", token)
    return names


def get(console: Console, path: str, **headers: str) -> Reply:
    return console.reply("GET", path, {"host": OWN_PAGE["host"]} | headers, b"")


def sign_in(console: Console, body: Any, headers: Mapping[str, str] = OWN_PAGE) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return console.reply("POST", "/session", JSON | dict(headers), content)


def body_of(reply: Reply) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(reply.content)
    return body


# -- who gets a reply --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["", "evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", "localhost"])
@pytest.mark.parametrize("path", ANY_PATH)
def test_a_foreign_host_name_gets_nothing(console: Console, host: str, path: str) -> None:
    reply = get(console, path, host=host)
    assert reply.status == 421
    assert STACK.api_url not in reply.content.decode()


def test_the_rule_for_hosts_is_the_emulators(console: Console) -> None:
    headers = {"host": "evil.example"}
    refusal = origins.foreign_host(headers)
    assert refusal is not None
    assert body_of(get(console, "/", **headers))["message"] == refusal.message


@pytest.mark.parametrize("path", ANY_PATH)
@pytest.mark.parametrize(
    "headers", [{"origin": "http://127.0.0.1:9"}, {"origin": "null"}, {"sec-fetch-site": "same-site"}], ids=str
)
def test_a_page_of_another_origin_gets_nothing(console: Console, path: str, headers: dict[str, str]) -> None:
    reply = get(console, path, **headers)
    assert (reply.status, body_of(reply)["error"]) == (403, "FORBIDDEN")


def test_a_link_of_another_page_is_followed(console: Console) -> None:
    assert get(console, "/", **{"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status == 200


@pytest.mark.parametrize("path", ["/", "/operations"])
def test_localhost_is_redirected_to_the_origin_that_the_api_allows(console: Console, path: str) -> None:
    reply = get(console, path, host=f"localhost:{PORT}")
    assert (reply.status, reply.headers["Location"]) == (307, ORIGIN + path)


def test_localhost_gets_no_data(console: Console) -> None:
    assert get(console, "/config.json", host=f"localhost:{PORT}").status == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        *((OWN_PAGE | {"origin": origin}, 403) for origin in ("http://evil.example", "null", "", *OTHER_ORIGINS)),
        *((OWN_PAGE | {"sec-fetch-site": site}, 403) for site in ("cross-site", "same-site", "none")),
        ({"host": OWN_PAGE["host"]}, 403),  # a program
        (OWN_PAGE | {"host": f"evil.example:{PORT}", "origin": f"http://evil.example:{PORT}"}, 421),
    ],
    ids=str,
)
def test_only_the_consoles_own_pages_get_a_token(
    console: Console, logged_in: list[str], headers: dict[str, str], status: int
) -> None:
    reply = sign_in(console, {"user": "demo"}, headers)
    assert (reply.status, body_of(reply)["error"]) == (status, "FORBIDDEN")
    assert logged_in == []


def test_its_own_page_gets_a_token(console: Console, logged_in: list[str]) -> None:
    reply = sign_in(console, {"user": "demo@example.com"})
    assert (reply.status, body_of(reply)) == (200, {"accessToken": "token of demo@example.com"})
    assert logged_in == ["demo@example.com"]


def test_a_browser_without_fetch_metadata_is_recognised_by_its_origin(console: Console, logged_in: list[str]) -> None:
    old = {name: OWN_PAGE[name] for name in ("host", "origin")}
    assert sign_in(console, {"user": "demo"}, old | {"content-type": "application/json; charset=utf-8"}).status == 200
    assert logged_in == ["demo"]


# A form on another site can send such a body without a preflight.
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_cannot_sign_in(console: Console, logged_in: list[str], content_type: str) -> None:
    assert sign_in(console, {"user": "demo"}, OWN_PAGE | {"content-type": content_type}).status == 400
    assert logged_in == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", [], "demo", 7, None, {}, {"user": ""}, {"user": 7}, {"user": None}, {"user": ["demo"]}]
    + [{"user": name} for name in ("two words", "x" * 129, "line\nbreak", "nul\0", "\u202e")],
    ids=repr,
)
def test_a_name_is_short_and_printable(console: Console, logged_in: list[str], body: Any) -> None:
    reply = sign_in(console, body)
    assert (reply.status, body_of(reply)["error"]) == (400, "VALIDATION_ERROR")
    assert logged_in == []


def test_the_user_pools_refusal_is_shown(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "token", Mock(side_effect=users.UserRefusedError("The user pool refused 'x'")))
    reply = sign_in(console, {"user": "x"})
    assert (reply.status, body_of(reply)["message"]) == (400, "The user pool refused 'x'")


@pytest.mark.parametrize(
    "failure",
    [EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"), LocalError("The user pool failed")],
    ids=["silent", "5xx"],
)
def test_a_user_pool_that_fails_is_a_503(console: Console, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    monkeypatch.setattr(users, "token", Mock(side_effect=failure))
    reply = sign_in(console, {"user": "demo"})
    assert (reply.status, body_of(reply)["error"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(reply.headers["Retry-After"]) > 0


# -- the state of the stack --------------------------------------------------------------------------------------------


def test_pages_learn_where_the_api_is_and_no_credentials(console: Console) -> None:
    assert body_of(get(console, "/config.json")) == {
        "apiUrl": STACK.api_url,
        "protectedApiUrl": STACK.protected_api_url,
        "issuer": "AILifestyle",
    }


@pytest.mark.parametrize("path", ["/config.json", "/operations/data.json"])
def test_before_the_deployment_a_503_says_so(tmp_path: Any, path: str) -> None:
    reply = get(Console(StackFolder(4566, tmp_path), PORT), path)
    assert (reply.status, body_of(reply)["message"]) == (503, "The stack is still being deployed")
    assert int(reply.headers["Retry-After"]) > 0


def test_a_state_that_cannot_be_read_is_a_503_that_says_what_to_do(console: Console, folder: StackFolder) -> None:
    folder.state.write_text("{")
    for reply in (get(console, "/config.json"), sign_in(console, {"user": "demo"})):
        assert (reply.status, body_of(reply)["error"]) == (503, "SERVICE_UNAVAILABLE")
        assert "make down" in body_of(reply)["message"]


def test_a_stack_that_is_deployed_anew_is_looked_up_anew(console: Console, folder: StackFolder) -> None:
    get(console, "/config.json")
    dataclasses.replace(STACK, api_url="http://127.0.0.1:4566/other").save(folder.state)
    assert body_of(get(console, "/config.json"))["apiUrl"] == "http://127.0.0.1:4566/other"


def test_a_snapshot_is_reused_for_a_second(folder: StackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Mock()
    monkeypatch.setattr(server, "time", clock)
    look: Mock = Mock(side_effect=lambda _, span, find: {"span": span, "find": find, "look": look.call_count})
    console = Console(folder, PORT, look)

    def seen(at: float, query: str) -> dict[str, Any]:
        clock.monotonic.return_value = at
        return body_of(get(console, f"/operations/data.json{query}"))

    assert seen(100, "?span=1h") == seen(100.9, "?span=1h") == {"span": "1h", "find": "", "look": 1}
    assert seen(101.1, "?span=1h")["look"] == 2
    assert seen(101.1, "?span=3h") == {"span": "3h", "find": "", "look": 3}
    assert seen(101.1, "?span=3h&find=ada") == {"span": "3h", "find": "ada", "look": 4}
    assert seen(101.1, "")["span"] == ""


@pytest.mark.parametrize(
    "failure",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1"),
        ClientError({"Error": {"Code": "Denied"}}, "GetDashboard"),
    ],
    ids=["no response", "refused"],
)
def test_a_failure_of_the_embedded_aws_is_a_503_and_not_cached(folder: StackFolder, failure: Exception) -> None:
    console = Console(folder, PORT, Mock(side_effect=[failure, {}]))
    assert [get(console, "/operations/data.json").status for _ in range(2)] == [503, 200]


def test_a_defect_is_a_500_without_details_and_logged(folder: StackFolder, capsys: pytest.CaptureFixture[str]) -> None:
    reply = get(Console(folder, PORT, Mock(side_effect=RuntimeError("inner works"))), "/operations/data.json")
    assert (reply.status, body_of(reply)["error"]) == (500, "INTERNAL_ERROR")
    assert b"inner works" not in reply.content
    assert "inner works" in capsys.readouterr().err


# -- pages and what they may do ----------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


PAGE_PATHS = ["/", "/operations", "/docs/runbook", "/docs/api"]


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_a_page_has_nothing_inline_that_its_policy_would_forbid(console: Console, path: str) -> None:
    reply = get(console, path)
    assert (reply.status, reply.content_type) == (200, "text/html; charset=utf-8")
    elements = Elements(reply.content.decode()).found
    assert elements
    for tag, attributes in elements:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "script" or attributes.get("src")


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_every_file_that_a_page_needs_is_served(console: Console, path: str) -> None:
    wanted = {"script": "src", "link": "href", "img": "src", "a": "href"}
    paths = {
        address.partition("#")[0].partition("?")[0] or path
        for tag, attributes in Elements(get(console, path).content.decode()).found
        if (address := attributes.get(wanted.get(tag, ""))) and not address.startswith(("http", "data:"))
    }
    assert "/base.css" in paths
    assert {each: get(console, each).status for each in paths} == dict.fromkeys(paths, 200)


def test_every_import_of_a_script_is_served_as_a_script(console: Console) -> None:
    imported = {
        address for script in PAGES.glob("*.js") for address in re.findall(r'from "([^"]+)"', script.read_text())
    }
    assert "/vendor/uPlot.esm.js" in imported
    for address in imported:
        reply = get(console, address.removeprefix("."))
        assert (reply.status, reply.content_type) == (200, "text/javascript; charset=utf-8"), address


def test_scripts_create_no_markup_from_text() -> None:
    dangerous = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|Storage\.|\.cookie"
    )
    assert [script.name for script in PAGES.glob("*.js") if dangerous.search(script.read_text())] == []


def test_the_policy_allows_only_own_scripts_and_calls_to_the_api(console: Console) -> None:
    policy = {name: values for name, *values in (part.split() for part in console.policy("/").split("; "))}
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'", "http://127.0.0.1:4566"]
    assert policy["form-action"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert "unsafe" not in console.policy("/") + console.policy("/api")
    assert console.policy("/").startswith(console.policy("/api") + "; ")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/../server.py",
        "/../pages/base.css",
        "/..%2fserver.py",
        "/base.css/../../server.py",
        "//base.css/..",
        "/pages/base.css",
        "/vendor/../package.json",
        "/vendor/uPlot.cjs.js",
        "/docs/../README",
        "/docs/adr/0001",
        "/docs/",
        "/docs/runbook.md",
        "/stack.json",
        "",
    ],
)
def test_nothing_else_is_served(console: Console, path: str) -> None:
    assert get(console, path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/", 405), ("POST", "/config.json", 405), ("PUT", "/session", 405), ("GET", "/session", 404)],
)
def test_other_methods_are_refused(console: Console, method: str, path: str, status: int) -> None:
    reply = console.reply(method, path, OWN_PAGE, b"{}")
    assert reply.status == status
    assert status != 405 or reply.headers["Allow"] == "GET, HEAD"


def test_every_heading_of_a_document_has_an_anchor(console: Console) -> None:
    elements = Elements(get(console, "/docs/runbook").content.decode()).found
    identifiers = [attributes.get("id") for tag, attributes in elements if tag in {"h2", "h3"}]
    assert {"page", "setup-mfa-system-errors"} <= set(identifiers)
    assert None not in identifiers
    assert len(identifiers) == len(set(identifiers))


def test_a_document_has_its_pictures_and_no_marks_of_the_builder(console: Console) -> None:
    elements = Elements(get(console, "/docs/quick-start").content.decode()).found
    pictures = [attributes["src"] for tag, attributes in elements if tag == "img"]
    replies = [get(console, f"/docs/{picture}") for picture in pictures]
    assert {(reply.status, reply.content_type) for reply in replies} == {(200, "image/png")}
    guide = get(console, "/docs/integration").content.decode()
    assert not re.search("&lt;(!--|/?details)", guide)


# -- over HTTP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(folder: StackFolder) -> Iterator[int]:
    """Serve a console on a free port, which is returned."""
    listener = ports.listen(0)
    port: int = listener.getsockname()[1]
    running = server._Server(Console(folder, port), listener)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield port
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/base.css", {}, 200),
        ("GET", "/docs/runbook", {}, 200),
        ("GET", "/nothing", {}, 404),
        ("GET", "/", {"headers": {"Host": "evil.example"}}, 421),
        ("POST", "/session", {"body": "{}"}, 403),
        ("POST", "/session", {"body": "x" * 5000}, 413),
        ("POST", "/session", {"headers": {"Content-Length": "-1"}}, 413),
        ("DELETE", "/session", {}, 501),
    ],
)
def test_every_response_has_the_policy(
    served: int, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    with closing(http.client.HTTPConnection(ports.LOOPBACK, served, timeout=10)) as connection:
        connection.request(method, path, **options)
        response = connection.getresponse()
    assert response.status == status
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Server"].strip() == "console"


def test_head_is_get_without_the_content(served: int) -> None:
    lengths = []
    with closing(http.client.HTTPConnection(ports.LOOPBACK, served, timeout=10)) as connection:
        # On one connection: unexpected content would be read as the next response.
        for method in ("HEAD", "GET"):
            connection.request(method, "/operations")
            response = connection.getresponse()
            lengths.append((response.status, int(response.headers["Content-Length"]), len(response.read())))
    length = lengths[1][2]
    assert length > 0
    assert lengths == [(200, length, 0), (200, length, length)]
