"""The surroundings of a function under test: a fake of AWS and of the token issuer, and a caller.

Containers under test have no network, so this also runs as a program inside them and uses only the standard library. It
reads an `Exercise` as JSON from standard input and writes the `Outcome` as JSON to standard output.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

#: Enough for a cold start on a busy machine.
_PATIENCE_SECONDS: Final = 60
#: The path of the Runtime Interface Emulator that invokes the function.
INVOCATIONS: Final = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """Events for one function, and the data in its surroundings.

    Attributes
    ----------
    events
        They are sent one after the other.
    item
        The item that DynamoDB returns for every key; empty for none.
    keys
        The issuer's JWK Set, served at every path.
    public_key
        The public half of every key pair in KMS, DER in base64.
    """

    events: list[Any]
    item: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)
    public_key: str = ""


@dataclass(frozen=True)
class Outcome:
    """The function's responses, and the AWS operations that it called, both in order."""

    answers: list[Any]
    calls: list[str]


@contextmanager
def world(exercise: Exercise, port: int) -> Iterator[list[str]]:
    """Serve AWS and the issuer on the loopback interface; yield the list of the operations called so far."""
    calls: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"keys": exercise.keys})

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            calls.append(operation)
            if operation == "PutEvents":
                entries = [{"EventId": str(number)} for number, _ in enumerate(request["Entries"])]
                self._answer({"FailedEntryCount": 0, "Entries": entries})
            elif operation == "GetPublicKey":
                self._answer({"PublicKey": exercise.public_key})
            else:
                self._answer({"Item": exercise.item} if operation == "GetItem" and exercise.item else {})

        def _answer(self, document: object) -> None:
            content = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the name in http.server
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", port), Service) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield calls
        finally:
            server.shutdown()


def invoke(event: object, port: int) -> Any:
    """Send an event to the Runtime Interface Emulator, as soon as it listens, and return the function's response.

    If the function fails, the response is its error, with ``errorType``. The emulator's HTTP status varies.
    """
    url = f"http://127.0.0.1:{port}{INVOCATIONS}"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, json.dumps(event).encode(), _PATIENCE_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as failure:
            with failure:
                content = failure.read()
            if not content:  # the runtime itself has ended
                raise
            return json.loads(content)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def run(exercise: Exercise, *, world_port: int, emulator_port: int) -> Outcome:
    """Send the events of an exercise and return the outcome."""
    with world(exercise, world_port) as calls:
        return Outcome([invoke(event, emulator_port) for event in exercise.events], calls)


if __name__ == "__main__":
    _given = json.load(sys.stdin)
    _outcome = run(Exercise(**_given.pop("exercise")), **_given)
    json.dump(asdict(_outcome), sys.stdout)
