"""What Linux tells of processes: which belong together, what each of them holds, and who is connected."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local import ports

_PROC: Final = Path("/proc")
#: Fields of ``/proc/PID/stat`` after the name in brackets, see proc_pid_stat(5).
_STATE, _SESSION = 0, 3
#: Columns of ``/proc/net/tcp``: local and remote address; the state; the socket.
_ENDS, _STATE_OF_SOCKET, _INODE = slice(1, 3), 3, 9
_LISTENING: Final = "0A"
_LOOPBACK: Final = f"{int.from_bytes(bytes([127, 0, 0, 1]), 'little'):08X}"


@dataclass(frozen=True)
class Holdings:
    """What a process holds.

    Attributes
    ----------
    mebibytes : float
        Memory that is resident.
    files, threads : int
        Open file descriptors, and threads.
    """

    mebibytes: float
    files: int
    threads: int

    @classmethod
    def of(cls, process: int) -> Self:
        """Look at a process."""
        folder = _PROC / str(process)
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return cls(
            mebibytes=int(status["VmRSS"].split()[0]) / 1024,
            files=len(list((folder / "fd").iterdir())),
            threads=int(status["Threads"]),
        )


def in_session(session: int) -> dict[int, str]:
    """Return the living processes of a session, with their command lines."""
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[_SESSION]) == session and fields[_STATE] != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    return found


def connected(port: int, to: int) -> int:
    """Return the process that is connected from a port of the loopback interface to another one.

    Raises
    ------
    LookupError
        There is none.
    """
    ends = [f"{_LOOPBACK}:{end:04X}" for end in (port, to)]
    rows = (line.split() for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:])
    # A port can have connections to several servers, and old ones of processes that have ended.
    process = ports.owner({f"socket:[{row[_INODE]}]" for row in rows if row[_ENDS] == ends})
    if process is None:
        raise LookupError(f"nobody is connected from port {port} to port {to}")
    return int(process.name)


def listening(processes: Iterable[int]) -> set[str]:
    """Return where processes listen, such as ``127.0.0.1:4566``; other addresses are as the kernel writes them."""
    held = set()
    for process in processes:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            held |= {str(file.readlink()) for file in (_PROC / str(process) / "fd").iterdir()}
    tables = [(_PROC / "net" / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    ends = {row[1] for row in rows if row[_STATE_OF_SOCKET] == _LISTENING and f"socket:[{row[_INODE]}]" in held}
    return {
        f"{address.replace(_LOOPBACK, ports.LOOPBACK)}:{int(port, 16)}"
        for address, _, port in (end.partition(":") for end in ends)
    }
