"""The console's HTTP server: pages, access tokens of demo users, and the state of the dashboard.

It issues tokens without a password. These measures keep that harmless:

- It listens only on the loopback interface.
- It refuses requests for other hosts and from pages of other origins, by the rule of ``local.origins``.
- It gives a token only to a page of its own origin.
- A strict Content-Security-Policy lets pages run only what this server serves.
"""

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any, Final
from urllib.parse import parse_qsl

from functions.shared.contract import DEFAULT_MFA_ISSUER, RETRY_AFTER_SECONDS, ErrorCode
from infra.paths import REPOSITORY
from local import origins, ports
from local.errors import LocalError
from local.stack import BrokenStateError, Stack, StackFolder

PAGES: Final = Path(__file__).with_name("pages")
#: Titles and files of the pages by path; other files are requested by name.
_PAGES: Final = {
    "/": ("Sign in", "index.html"),
    "/operations": ("Operations", "operations.html"),
    "/api": ("API", "api.html"),
}
#: Files from elsewhere, by path: the client to copy, and those of npm packages.
_VENDOR: Final = {"/mfa.js": REPOSITORY / "clients" / "mfa.js"} | {
    f"/vendor/{Path(file).name}": REPOSITORY / "node_modules" / file
    for file in (
        "@picocss/pico/css/pico.min.css",
        "htm/dist/htm.mjs",
        "preact/dist/preact.mjs",
        "swagger-ui-dist/swagger-ui-bundle.js",
        "swagger-ui-dist/swagger-ui.css",
        "uplot/dist/uPlot.esm.js",
        "uplot/dist/uPlot.min.css",
    )
}
_HTML: Final = "text/html; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": _SCRIPT,
    ".mjs": _SCRIPT,
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_JSON: Final = "application/json"
_DOCUMENTS: Final = "/docs/"
_MAX_BODY_BYTES: Final = 4096
_MAX_NAME_LENGTH: Final = 128
#: How long a snapshot of the dashboard is reused.
_SNAPSHOT_SECONDS: Final = 1.0
#: How long a connection may be idle.
_IDLE_SECONDS: Final = 60

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Reply:
    """An HTTP response, without the headers that all responses share."""

    status: HTTPStatus
    content: bytes
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """A request is refused with the reason."""

    def __init__(
        self, status: HTTPStatus, code: ErrorCode, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        body = {"error": code, "message": message}
        self.reply = Reply(status, json.dumps(body).encode(), headers=headers or {})


class Console:
    """The console's routes, independent of the HTTP server.

    Parameters
    ----------
    folder
        The folder of the console's stack. It is read at each request, because the console starts first.
    port
        The console's own port.
    snapshot
        Returns the state of a stack's dashboard over a time span and with text in its search field, ready for JSON;
        tests replace it.
    """

    def __init__(
        self, folder: StackFolder, port: int, snapshot: Callable[[Stack, str, str], dict[str, Any]] | None = None
    ) -> None:
        self._folder = folder
        self._host = f"{ports.LOOPBACK}:{port}"
        self.origin = f"http://{self._host}"
        self._snapshot = _Cached(snapshot or _operations, _SNAPSHOT_SECONDS)

    def policy(self, path: str) -> str:
        """Return the policy of a page: it may run and show what this server serves, and call it and the API.

        Forms cannot submit by themselves, so no code ends up in a URL.
        """
        rules = [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' {self._folder.endpoint_url}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
        # Text cannot become markup or a script. Swagger UI turns our own Markdown into markup, sanitized.
        if path.partition("?")[0] != "/api":
            rules += ["require-trusted-types-for 'script'", "trusted-types 'none'"]
        return "; ".join(rules)

    def reply(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return the reply to a request; the names in ``headers`` are in lower case."""
        try:
            return self._route(method, *path.partition("?")[::2], headers, body)
        except RefusedError as refusal:
            return refusal.reply
        except Exception:  # noqa: BLE001 - logged, and the page needs a response
            traceback.print_exc()
            return RefusedError(
                HTTPStatus.INTERNAL_SERVER_ERROR, ErrorCode.INTERNAL_ERROR, "Unexpected error; see the emulator's log"
            ).reply

    def _route(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self._check_caller(method, path, headers)
        match method, path:
            case "POST", "/session":
                return self._sign_in(headers, body)
            case "GET" | "HEAD", "/config.json":
                stack = self._stack()
                urls = {"apiUrl": stack.api_url, "protectedApiUrl": stack.protected_api_url}
                return _json(urls | {"issuer": DEFAULT_MFA_ISSUER})
            case "GET" | "HEAD", "/openapi.json":
                return _json(_description(self._stack().api_url))
            case "GET" | "HEAD", "/operations/data.json":
                asked = dict(parse_qsl(query))
                return _json(self._snapshot.of(self._stack(), asked.get("span", ""), asked.get("find", "")))
            case "GET" | "HEAD", _ if path.startswith(_DOCUMENTS):
                return _document(path)
            case "GET" | "HEAD", _:
                return _file(path)
        raise RefusedError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            ErrorCode.NOT_FOUND,
            "Unknown path or method",
            {"Allow": "GET, HEAD"},
        )

    def _check_caller(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        tokens = (method, path) == ("POST", "/session")
        refusal = origins.foreign_host(headers) or origins.foreign_page(method, headers, page_required=tokens)
        if refusal is not None:
            raise RefusedError(refusal.status, ErrorCode.FORBIDDEN, refusal.message)
        if headers["host"] == self._host:
            return
        # Typed by hand; the API allows this origin only by its other name.
        if headers["host"] == self._host.replace(ports.LOOPBACK, "localhost") and path in _PAGES:
            location = {"Location": self.origin + path}
            raise RefusedError(HTTPStatus.TEMPORARY_REDIRECT, ErrorCode.NOT_FOUND, f"Open {self.origin}", location)
        raise RefusedError(HTTPStatus.MISDIRECTED_REQUEST, ErrorCode.FORBIDDEN, f"This is {self.origin}")

    def _sign_in(self, headers: Mapping[str, str], body: bytes) -> Reply:
        # Imported here, because the SDK's import would delay the first page by a third of a second.
        from botocore.exceptions import BotoCoreError

        from local import users

        name = _name(headers, body)
        stack = self._stack()
        try:
            return _json({"accessToken": users.token(stack, name)})
        except users.UserRefusedError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, ErrorCode.VALIDATION_ERROR, str(error)) from None
        except (LocalError, BotoCoreError):
            raise _unavailable("The emulated AWS does not respond") from None

    def _stack(self) -> Stack:
        try:
            return Stack.load(self._folder.state)
        except FileNotFoundError:
            raise _unavailable("The stack is still being deployed") from None
        except BrokenStateError as error:
            raise _unavailable(str(error)) from None


class _Cached:
    """A slow read that runs once at a time; its result is reused for some seconds."""

    def __init__(self, look: Callable[[Stack, str, str], dict[str, Any]], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._lock = threading.Lock()
        self._until = 0.0
        self._of = ("", "")
        self._seen: dict[str, Any] = {}

    def of(self, stack: Stack, span: str, search: str) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        with self._lock:
            if time.monotonic() >= self._until or (span, search) != self._of:
                try:
                    self._seen = self._look(stack, span, search)
                except (BotoCoreError, ClientError):
                    raise _unavailable("The emulated AWS does not respond") from None
                self._until, self._of = time.monotonic() + self._seconds, (span, search)
            return self._seen


def _operations(stack: Stack, span: str, search: str) -> dict[str, Any]:
    from local.console.operations import snapshot

    return snapshot(stack, span, search)


def _name(headers: Mapping[str, str], body: bytes) -> str:
    """Return the user's name in a sign-in request."""
    refusal = RefusedError(
        HTTPStatus.BAD_REQUEST,
        ErrorCode.VALIDATION_ERROR,
        f"user must be a name of 1 to {_MAX_NAME_LENGTH} printable characters without spaces",
    )
    # A form of another site can send JSON, but not with this content type, for which browsers first send a preflight.
    if headers.get("content-type", "").partition(";")[0].strip() != _JSON:
        raise refusal
    try:
        name = json.loads(body)["user"]
    except (ValueError, TypeError, KeyError):
        raise refusal from None
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME_LENGTH or not name.isprintable() or " " in name:
        raise refusal
    return name


def _file(path: str) -> Reply:
    """Return a file that belongs to the pages; names are looked up, never made into paths."""
    if path in _PAGES:
        title, name = _PAGES[path]
        return _page(path, title, (PAGES / name).read_text())
    file = _VENDOR.get(path) or {f"/{each.name}": each for each in PAGES.iterdir()}.get(path)
    if file is None or file.suffix not in _CONTENT_TYPES:
        raise RefusedError(HTTPStatus.NOT_FOUND, ErrorCode.NOT_FOUND, "Unknown path or method")
    return Reply(HTTPStatus.OK, file.read_bytes(), _CONTENT_TYPES[file.suffix])


def _document(path: str) -> Reply:
    """Return a page of the documentation, to which alarms and dashboard link, or one of its pictures."""
    from local.console import documents

    pictures = {f"{_DOCUMENTS}images/{each.name}": each for each in (documents.DOCUMENTS / "images").iterdir()}
    if path in pictures:
        return Reply(HTTPStatus.OK, pictures[path].read_bytes(), _CONTENT_TYPES[".png"])
    document = documents.document(path.removeprefix(_DOCUMENTS))
    if document is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, ErrorCode.NOT_FOUND, "Unknown path or method")
    title, content = document
    styled = f'<link rel="stylesheet" href="/document.css"><main id="main" tabindex="-1">{content}</main>'
    return _page(path, title, styled)


def _description(api_url: str) -> dict[str, Any]:
    """Return the description of the API with this stack as its only server."""
    description: dict[str, Any] = json.loads((REPOSITORY / "docs" / "openapi.json").read_text())
    guide = description["externalDocs"] | {"url": f"{_DOCUMENTS}integration"}
    return description | {"servers": [{"url": api_url}], "externalDocs": guide}


def _page(path: str, title: str, content: str) -> Reply:
    """Return a page: its content below the header that all pages share."""
    layout = (PAGES / "layout.html").read_text().replace("<!-- title -->", title)
    layout = layout.replace(f'<li><a href="{path}"', f'<li><a href="{path}" aria-current="page"')
    return Reply(HTTPStatus.OK, layout.replace("<!-- content -->", content).encode(), _HTML)


def _json(body: dict[str, Any]) -> Reply:
    return Reply(HTTPStatus.OK, json.dumps(body).encode())


def _unavailable(message: str) -> RefusedError:
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, ErrorCode.SERVICE_UNAVAILABLE, message, retry)


class _Handler(BaseHTTPRequestHandler):
    """Passes requests to the console."""

    server: "_Server"
    protocol_version = "HTTP/1.1"
    server_version = "console"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        """Handle a request without a body."""
        self._reply(b"")

    do_HEAD = do_GET  # noqa: N815 -- the name that the base class expects

    def do_POST(self) -> None:
        """Handle a request with a body."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= _MAX_BODY_BYTES):
            self.close_connection = True  # the rest of the stream is not a request
            self.send_error(HTTPStatus.CONTENT_TOO_LARGE)
            return
        self._reply(self.rfile.read(int(length)))

    def _reply(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.console.reply(self.command, self.path, headers, body)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)

    def end_headers(self) -> None:
        """Add the shared headers to every response, also to those to malformed requests."""
        self.send_header("Content-Security-Policy", self.server.console.policy(getattr(self, "path", "")))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Log no requests; the server logs errors."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, console: Console, listener: socket) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.console = console

    def handle_error(self, *_: object) -> None:
        """Log an error, unless the browser closed the connection."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()


def serve(folder: StackFolder, listener: socket) -> None:
    """Serve the console of a stack on a listening socket."""
    _Server(Console(folder, listener.getsockname()[1]), listener).serve_forever()
