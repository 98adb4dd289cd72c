"""Sends requests that HTTP clients would refuse to send."""

import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

import urllib3

from tests.support.stack import TIMEOUT_SECONDS, HttpResponse


class RawApi:
    """Sends requests to the API, each on a new connection."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def send(self, *lines: bytes, method: str = "GET", path: str = "/auth/mfa", body: bytes = b"") -> HttpResponse:
        """Send a request with these header lines, unchanged, and return the response."""
        head = (
            f"{method} {self._url.path}{path} HTTP/1.1".encode(),
            f"Host: {self._url.netloc}".encode(),
            f"Content-Length: {len(body)}".encode(),
            b"Connection: close",
            *lines,
        )
        address = (str(self._url.hostname), self._url.port)
        with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection:
            connection.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
            response = HTTPResponse(connection, method=method)
            response.begin()
            return HttpResponse(response.status, urllib3.HTTPHeaderDict(response.getheaders()), response.read())
