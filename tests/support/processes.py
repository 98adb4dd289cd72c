"""Processes of this machine: their resources, their session, and their connections."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil

from local.ports import LOOPBACK


@dataclass(frozen=True)
class Holdings:
    """The resources of a process."""

    mebibytes: float  # resident memory
    files: int  # open file descriptors
    threads: int

    @classmethod
    def of(cls, process_id: int) -> Self:
        """Return the present resources of a process."""
        process = psutil.Process(process_id)
        return cls(process.memory_info().rss / 2**20, process.num_fds(), process.num_threads())


def in_session(session: int) -> set[int]:
    """Return the running processes of a session."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):  # it has ended in the meantime
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.add(process.pid)
    return found


def connected(port: int, to: int) -> int:
    """Return the process that is connected from one port of the loopback interface to another.

    Raises
    ------
    LookupError
        There is no such process.
    """
    # A port can have connections to several servers, and old ones of processes that have ended.
    for each in psutil.net_connections("tcp4"):
        if each.pid and (each.laddr, each.raddr) == ((LOOPBACK, port), (LOOPBACK, to)):
            return each.pid
    raise LookupError(f"no process is connected from port {port} to port {to}")


def listening(processes: Iterable[int]) -> set[str]:
    """Return the addresses and ports where processes accept connections, such as ``127.0.0.1:4566``."""
    wanted = set(processes)
    return {
        f"{each.laddr.ip}:{each.laddr.port}"
        for each in psutil.net_connections("tcp")
        if each.pid in wanted and each.laddr and each.status == psutil.CONN_LISTEN
    }
