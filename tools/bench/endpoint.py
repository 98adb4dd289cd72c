"""Starting the stand-in for AWS, and talking to it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.bench.fake_aws import CONTROL


class Endpoint:
    """The running stand-in.

    Attributes
    ----------
    url : str
        What the SDKs take as endpoint.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def reset(self, **state: object) -> dict[str, Any]:
        """Return what was counted since the last reset, and start anew; ``item`` and ``keys`` set what is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("POST", "/", json.dumps(state), {"X-Amz-Target": CONTROL})
            counted: dict[str, Any] = json.loads(connection.getresponse().read())
            return counted
        finally:
            connection.close()


@contextmanager
def running_endpoint() -> Iterator[Endpoint]:
    """Run the stand-in on a free port for the length of a block."""
    program = [sys.executable, "-B", str(Path(__file__).with_name("fake_aws.py"))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            if process.stdout is None:
                raise RuntimeError("no pipe to the stand-in")
            yield Endpoint(int(process.stdout.readline()))
        finally:
            process.terminate()
