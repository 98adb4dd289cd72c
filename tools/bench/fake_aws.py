"""A stand-in for KMS, DynamoDB and the token issuer, so that the bench measures the function and not a service.

It responds at once and counts the requests, their bytes and its own CPU time. Every write succeeds and changes
nothing, so that one request can be repeated. The plaintext of a data key is a hash of its ciphertext, so that
decryption needs no state.
"""

import base64
import hashlib
import json
import os
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from local.ports import LOOPBACK

#: The size of the ciphertext that KMS returns for a 256-bit data key.
_CIPHERTEXT_BYTES: Final = 184


@dataclass
class TrafficCount:
    """The traffic since the last reset. Bytes are those of whole HTTP messages.

    Attributes
    ----------
    calls : list of str
        Operations such as ``kms:Decrypt``, and ``issuer:JWKS``.
    cpu_seconds : float
        CPU time of the threads that respond.
    """

    calls: list[str] = field(default_factory=list)
    bytes_received: int = 0
    bytes_sent: int = 0
    cpu_seconds: float = 0.0


class StandIn(ThreadingHTTPServer):
    """The server. Its attributes can be changed while it runs.

    Attributes
    ----------
    item : dict or None
        The item that ``GetItem`` returns.
    put : dict or None
        The item that ``PutItem`` wrote last.
    keys : dict
        The JWK Set of the issuer.
    traffic : TrafficCount
        Set it to a new count to start counting again.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.item: dict[str, Any] | None = None
        self.put: dict[str, Any] | None = None
        self.keys: dict[str, Any] = {"keys": []}
        self.traffic = TrafficCount()

    @property
    def url(self) -> str:
        """The endpoint URL for the SDKs."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def response(self, target: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the response of one operation, such as ``TrentService.Decrypt``."""
        service, operation = target.split(".")
        self.traffic.calls.append(f"{'kms' if service == 'TrentService' else 'dynamodb'}:{operation}")
        match operation:
            case "GenerateDataKey":
                ciphertext = os.urandom(_CIPHERTEXT_BYTES)
                return {"CiphertextBlob": _text(ciphertext), "Plaintext": _key(ciphertext), "KeyId": request["KeyId"]}
            case "Decrypt":
                plaintext = _key(base64.b64decode(request["CiphertextBlob"]))
                return {"Plaintext": plaintext, "KeyId": request["KeyId"], "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
            case "GetItem":
                return {"Item": self.item} if self.item else {}
            case "PutItem":
                self.put = request["Item"]
                return {}
            case "UpdateItem" | "DeleteItem":
                return {}
        raise ValueError(f"Unexpected operation: {target}")


@contextmanager
def running_stand_in() -> Iterator[StandIn]:
    """Run the stand-in on a free port while the block runs."""
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _key(ciphertext: bytes) -> str:
    return _text(hashlib.sha256(ciphertext).digest())


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Handle a request and count its CPU time; waiting for the request takes none."""
        before = time.thread_time()
        super().handle_one_request()
        self.server.traffic.cpu_seconds += time.thread_time() - before

    def do_GET(self) -> None:
        """Return the issuer's JWK Set."""
        self.server.traffic.calls.append("issuer:JWKS")
        self._send(self.server.keys, received=0)

    def do_POST(self) -> None:
        """Return the response of an AWS operation."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(self.server.response(self.headers["X-Amz-Target"], json.loads(body)), received=len(body))

    def _send(self, content: object, *, received: int) -> None:
        body = json.dumps(content).encode()
        message = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n"
            f"x-amzn-RequestId: {uuid.uuid4()}\r\nx-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
        ).encode() + body
        lines = [self.requestline, *(f"{name}: {value}" for name, value in self.headers.items()), ""]
        self.server.traffic.bytes_received += sum(len(f"{line}\r\n") for line in lines) + received
        self.server.traffic.bytes_sent += len(message)
        self.wfile.write(message)

    def log_message(self, *_: object) -> None:
        """Log nothing."""
