"""Reads from ``/proc``: the processes of a session, their resources, and which process has a connection."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local import ports

_PROC: Final = Path("/proc")
#: Fields of ``/proc/PID/stat`` after the name in brackets, see proc_pid_stat(5).
_STATE, _SESSION = 0, 3
#: Columns of ``/proc/net/tcp``: local and remote address; the socket.
_ENDS, _INODE = slice(1, 3), 9


@dataclass(frozen=True)
class Holdings:
    """The resources of a process.

    Attributes
    ----------
    mebibytes : float
        Resident memory.
    files, threads : int
        Open file descriptors, and threads.
    """

    mebibytes: float
    files: int
    threads: int

    @classmethod
    def of(cls, process: int) -> Self:
        """Return the resources of a process, by its id."""
        folder = _PROC / str(process)
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return cls(
            mebibytes=int(status["VmRSS"].split()[0]) / 1024,
            files=len(list((folder / "fd").iterdir())),
            threads=int(status["Threads"]),
        )


def in_session(session: int) -> dict[int, str]:
    """Return the running processes of a session: their ids and command lines."""
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[_SESSION]) == session and fields[_STATE] != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
    return found


def connected(port: int, to: int) -> int:
    """Return the id of the process that has a connection from one loopback port to another.

    Raises
    ------
    LookupError
        No process has one.
    """
    ends = [f"{int.from_bytes(bytes([127, 0, 0, 1]), 'little'):08X}:{end:04X}" for end in (port, to)]
    rows = (line.split() for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:])
    # A port can have several connections, also of processes that have ended.
    process = ports.owner({f"socket:[{row[_INODE]}]" for row in rows if row[_ENDS] == ends})
    if process is None:
        raise LookupError(f"no connection from port {port} to port {to}")
    return int(process.name)
