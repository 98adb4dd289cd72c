"""A server on the loopback interface that counts requests and can misbehave: an issuer's JWKS endpoint, or AWS."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

type Behaviour = Callable[["Exchange"], None]


class JwksServer:
    """Publishes keys; ``behaviour`` replaces the response."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.url = f"{origin}/jwks.json"
        self.keys: list[dict[str, Any]] = []
        self.fetches = 0
        self.behaviour: Behaviour = answering_keys
        self.stopping = Event()


class Exchange(BaseHTTPRequestHandler):
    """One request to the server."""

    jwks: JwksServer

    def handle(self) -> None:
        # A client may refuse the certificate or disconnect.
        with suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        self.jwks = type(self).jwks  # another server may get the port before the response ends
        self.jwks.fetches += 1
        self.jwks.behaviour(self)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the name in http.server
        """Write no log."""

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def answering_keys(exchange: Exchange) -> None:
    """Return the JWK Set."""
    exchange.answer(200, json.dumps({"keys": exchange.jwks.keys}).encode())


def answering(status: int, body: bytes, **headers: str) -> Behaviour:
    """Return a behaviour with a fixed response."""
    return lambda exchange: exchange.answer(status, body, **headers)


def hanging(exchange: Exchange) -> None:
    """Accept the request and never respond."""
    exchange.jwks.stopping.wait()


def truncated(exchange: Exchange) -> None:
    """Break off in the middle of the body."""
    exchange.answer(200, b'{"keys":[', Content_Length="1000")


def dripping(exchange: Exchange) -> None:
    """Send a long body a byte at a time, each well within a socket's timeout."""
    exchange.send_response(200)
    exchange.end_headers()
    for _ in range(150):
        if exchange.jwks.stopping.wait(0.02):
            return
        exchange.wfile.write(b" ")
    exchange.wfile.write(json.dumps({"keys": exchange.jwks.keys}).encode())


def resetting(exchange: Exchange) -> None:
    """Close the connection without a response."""
    exchange.close_connection = True


@contextmanager
def jwks_servers(tls: ssl.SSLContext | None = None) -> Iterator[Callable[[], JwksServer]]:
    """Listen on a free port during a block; each call of the yielded function gives the port to a new server."""
    scheme = "http" if tls is None else "https"

    class Handler(Exchange):
        """The requests of this listener."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        if tls:
            # The handshake is left to the thread that reads the request.
            listener.socket = tls.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
        served: list[JwksServer] = []

        def serve() -> JwksServer:
            for former in served:
                former.stopping.set()
            server = Handler.jwks = JwksServer(f"{scheme}://127.0.0.1:{listener.server_port}")
            served.append(server)
            return server

        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield serve
        finally:
            serve().stopping.set()
            listener.shutdown()
            thread.join()
