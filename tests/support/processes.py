"""What Linux tells of processes: which belong together, and what each of them holds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_PROC: Final = Path("/proc")
#: Fields of ``/proc/PID/stat`` after the name in brackets, see proc_pid_stat(5).
_STATE, _SESSION = 0, 3


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
        except FileNotFoundError:  # it has ended meanwhile
            continue
    return found
