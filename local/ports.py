"""Ports of this machine: which are free, and who holds the others."""

import errno
import socket
from collections.abc import Iterator, Set
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_LISTENING: Final = "0A"
_COMMAND_LENGTH: Final = 60


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    (port,) = free_ports(1)
    return port


def free_ports(number: int) -> list[int]:
    """Return so many ports that nobody listens on at the moment, each another one."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]


def listen(preferred: int) -> socket.socket:
    """Return a socket that listens on the loopback interface: on a port of choice, or where it is taken on another.

    It is taken and held from here on: nobody can come between finding a port and listening on it.
    """
    for port in (preferred, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen()
        except OSError:
            listener.close()
            if port == 0:
                raise
        else:
            return listener
    raise AssertionError  # the loop returns or raises


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port of the loopback interface.

    Raises
    ------
    PermissionError
        The port is privileged (below 1024 on most machines).
    """
    with socket.socket() as probe:
        # As servers do: a connection of the past that lingers in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
        return True


def holder(port: int) -> str:
    """Name the process that listens on a port, as far as this system tells: ``process 812 (nginx: master)``."""
    sockets = {
        f"socket:[{fields[9]}]"
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for fields in (line.split() for line in table.read_text().splitlines()[1:])
        if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port
    }
    process = owner(sockets)
    if process is None:
        return "another program"
    command = (process / "cmdline").read_text().replace("\0", " ").strip()
    return f"process {process.name} ({command[:_COMMAND_LENGTH]})"


def owner(sockets: Set[str]) -> Path | None:
    """Return the folder below ``/proc`` of a process that has one of these files open, like ``socket:[4711]``."""
    processes = Path("/proc").glob("[0-9]*") if sockets else ()
    return next((process for process in processes if not sockets.isdisjoint(_open_files(process))), None)


def _open_files(process: Path) -> Iterator[str]:
    with suppress(OSError):  # ended meanwhile, or another user's
        for descriptor in list((process / "fd").iterdir()):
            with suppress(OSError):  # closed meanwhile
                yield str(descriptor.readlink())
