"""Ports of this machine: find a free one, listen on one, and name the process that holds one."""

import errno
import socket
from contextlib import ExitStack, suppress
from typing import Final

import psutil

LOOPBACK: Final = "127.0.0.1"
_COMMAND_LENGTH: Final = 60


def url(port: int) -> str:
    """Return the URL of a server on this machine."""
    return f"http://{LOOPBACK}:{port}"


def free_port() -> int:
    """Return a port that is free at the moment."""
    (port,) = free_ports(1)
    return port


def free_ports(number: int) -> list[int]:
    """Return a number of different ports that are free at the moment."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]


def listen(preferred: int) -> socket.socket:
    """Return a socket that listens on the loopback interface: on the preferred port, or on any other if that is taken.

    The port is held from here on, so no other program can take it in between.
    """
    try:
        return socket.create_server((LOOPBACK, preferred))
    except OSError:
        return socket.create_server((LOOPBACK, 0))


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port of the loopback interface.

    Raises
    ------
    PermissionError
        The port is privileged (below 1024 on most machines).
    """
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    return True


def holder(port: int) -> str:
    """Describe the process that listens on a port: ``process 812 (nginx: master)``, or ``another program``.

    The system shows other users' sockets only to administrators, and on macOS no sockets at all.
    """
    with suppress(psutil.Error):
        for each in psutil.net_connections("tcp"):
            if each.pid and each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port:
                command = " ".join(psutil.Process(each.pid).cmdline())
                return f"process {each.pid} ({command[:_COMMAND_LENGTH]})"
    return "another program"
