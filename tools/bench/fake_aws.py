"""A stand-in for KMS, DynamoDB and the issuer of tokens, so that what is measured is the function and not a service.

It answers at once, runs in a process of its own, and counts its CPU time, the requests and their bytes. It judges
nothing: every write succeeds and changes nothing, so that one request can be repeated as often as a measurement needs.
The plaintext of a data key is a hash of its ciphertext, which makes decryption right without any state.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import sys
import time
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

#: The size of the ciphertext that KMS returns for a 256-bit data key.
_CIPHERTEXT_BYTES: Final = 184
#: Reads and writes what the stand-in itself knows; no AWS operation has this name.
CONTROL: Final = "Bench.Control"


@dataclass
class Traffic:
    """What was received and sent since the last reset. Bytes are whole HTTP messages."""

    calls: list[str] = field(default_factory=list)
    bytes_received: int = 0
    bytes_sent: int = 0
    connections: int = 0
    cpu_seconds: float = 0.0


class Services:
    """What the stand-in answers.

    Attributes
    ----------
    item : dict or None
        What ``GetItem`` returns.
    put : dict or None
        What ``PutItem`` wrote last.
    keys : dict
        The JWK Set that any ``GET`` returns.
    """

    def __init__(self) -> None:
        self.item: dict[str, Any] | None = None
        self.put: dict[str, Any] | None = None
        self.keys: dict[str, Any] = {"keys": []}
        self.traffic = Traffic()
        self._cpu_at_reset = time.process_time()

    def answer(self, target: str, body: bytes) -> Mapping[str, Any]:
        """Return the answer to one operation, such as ``TrentService.Decrypt``."""
        request = json.loads(body)
        if target == CONTROL:
            return self._control(request)
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
        raise ValueError(f"unexpected operation {target}")

    def published_keys(self) -> Mapping[str, Any]:
        """Return the issuer's JWK Set."""
        self.traffic.calls.append("issuer:JWKS")
        return self.keys

    def _control(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        known = {"put": self.put, **asdict(self.traffic), "cpu_seconds": time.process_time() - self._cpu_at_reset}
        self.item = request.get("item", self.item)
        self.keys = request.get("keys", self.keys)
        self.traffic = Traffic()
        self._cpu_at_reset = time.process_time()
        return known


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _key(ciphertext: bytes) -> str:
    return _text(hashlib.sha256(ciphertext).digest())


class _Connection(asyncio.Protocol):
    """One keep-alive connection: as much HTTP/1.1 as the SDKs speak."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("not a stream")
        self._transport = transport
        self._services.traffic.connections += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received and self._transport is not None:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            headers = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
            length = int(headers.get(b"content-length", b"0"))
            if b"expect" in headers and not rest and length:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(rest) < length:
                return
            body, self._received = rest[:length], rest[length:]
            target = _original_case(head, headers.get(b"x-amz-target", b"").strip())
            content = self._services.answer(target, body) if target else self._services.published_keys()
            answer = json.dumps(content).encode()
            message = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(answer)}\r\n"
                f"x-amzn-RequestId: {uuid.uuid4()}\r\nx-amz-crc32: {zlib.crc32(answer)}\r\n\r\n"
            ).encode() + answer
            if target != CONTROL:
                self._services.traffic.bytes_received += len(head) + 4 + length
                self._services.traffic.bytes_sent += len(message)
            self._transport.write(message)


def _original_case(head: bytes, lowered: bytes) -> str:
    at = head.lower().index(lowered)
    return head[at : at + len(lowered)].decode()


async def _serve() -> None:
    services = Services()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(services), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started this process holds its standard input: gone, so is the need for a stand-in.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())
