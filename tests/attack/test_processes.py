"""The attacks kill the right process."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.processes import connected

#: Connects from one port of the loopback interface to another, and stays until its input ends.
_CLIENT = """
import socket, sys
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
client.bind(("127.0.0.1", int(sys.argv[1])))
client.connect(("127.0.0.1", int(sys.argv[2])))
print("connected", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def servers() -> Iterator[list[int]]:
    """Listen on two ports."""
    with ExitStack() as listening:
        sockets = [listening.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        yield [each.getsockname()[1] for each in sockets]


def test_the_process_is_found_by_both_ends_of_its_connection(servers: list[int]) -> None:
    with socket.socket() as reserved, ExitStack() as running:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        clients = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _CLIENT, str(port), str(server)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for server in servers
        ]
        for client in clients:
            assert client.stdout is not None
            assert client.stdout.readline() == b"connected\n"

        assert [connected(port, server) for server in servers] == [client.pid for client in clients]
        for client in clients:
            assert client.stdin is not None
            client.stdin.close()


def test_without_a_connection_no_process_is_found(servers: list[int]) -> None:
    with pytest.raises(LookupError, match="no process"):
        connected(servers[0], servers[1])
