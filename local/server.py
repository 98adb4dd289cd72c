"""Starts, finds and stops the emulator's process.

Three mechanisms keep it from being left behind:

- A lock file that the emulator holds while it runs. The kernel releases it even after a crash, so a running stack is
  recognised without guessing from process ids.
- A lifeline: the emulator ends with the command that started it, until that command releases it.
- A separate process group, so that one signal ends the emulator and all functions it runs.
"""

import fcntl
import http.client
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from infra.paths import REPOSITORY
from local import lifeline, ports
from local.errors import LocalError
from local.stack import DEFAULT_PORT, LAST_PORT, Credentials, StackFolder, publish

HEALTH_PATH: Final = "/_ministack/health"
REGION: Final = "us-east-1"
#: The only variables that the emulator inherits; others would leak into the functions.
_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "SSL_CERT_FILE")
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10
_DYING_SECONDS: Final = 1
_CLEAR_ATTEMPTS: Final = 20


@dataclass
class Server:
    """An emulator that this process started.

    Attributes
    ----------
    root
        Random credentials of the account's root, known only to the process that started the emulator.
    console_url
        URL of the console, which a child process of the emulator serves.
    """

    folder: StackFolder
    root: Credentials
    console_url: str
    process: subprocess.Popen[bytes]
    _lock: IO[str]

    def release(self) -> None:
        """Let the emulator outlive this process."""
        assert self.process.stdin is not None  # noqa: S101 -- for the type checker: it is a pipe
        self.process.stdin.write(lifeline.RELEASE)
        self.process.stdin.close()
        self._lock.close()

    def stop(self) -> None:
        """Stop the emulator and all its functions, and remove their files."""
        _kill(self.process.pid)
        self.process.wait(_STOP_SECONDS)
        if self.process.stdin is not None:
            self.process.stdin.close()
        clear(self.folder)
        self._lock.close()


def start(folder: StackFolder) -> Server:
    """Start an emulator and wait until it responds.

    Raises
    ------
    LocalError
        A stack or another program uses the port, or the emulator did not start.
    """
    folder.create()
    lock = _acquire(folder)
    try:
        clear(folder)  # leftovers of a killed emulator
        _check_port(folder.port)
        folder.temporary.mkdir(mode=0o700)
        root = Credentials("AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20))
        # Listen first: the deployment needs to know the console's port.
        with ports.listen(folder.console_port) as console, folder.log.open("wb") as log:
            console_url = ports.url(console.getsockname()[1])
            process = subprocess.Popen(  # noqa: S603 -- our own module
                [sys.executable, "-m", "local.emulator", str(folder.root), str(folder.port), str(console.fileno())],
                cwd=REPOSITORY,
                env=_environment(folder, root),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno(), console.fileno()],
            )
        server = Server(folder, root, console_url, process, lock)
    except BaseException:
        lock.close()
        raise
    try:
        lock.write(f"{process.pid}\n")
        lock.flush()
        _await_health(server)
    except BaseException:
        server.stop()
        raise
    return server


def running(folder: StackFolder) -> int | None:
    """Return the process id of the emulator on this port, or None if it is not running."""
    deadline = time.monotonic() + 5
    while True:
        try:
            with folder.lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
        except FileNotFoundError:
            return None
        except BlockingIOError:
            content = folder.lock.read_text().strip()
        if content:
            return int(content)
        if time.monotonic() > deadline:  # locked without a process id: another command is starting it
            raise LocalError(f"Another command is starting a stack on port {folder.port}; wait for it to finish.")
        time.sleep(0.05)


def stop(folder: StackFolder) -> bool:
    """Stop the emulator on this port; return False if it was not running."""
    process_id = running(folder)
    if process_id is not None:
        _kill(process_id)
        deadline = time.monotonic() + _STOP_SECONDS
        while running(folder) == process_id:
            if time.monotonic() > deadline:
                raise LocalError(f"The emulator (process {process_id}) did not end within {_STOP_SECONDS} s.")
            time.sleep(0.01)
    clear(folder)
    return process_id is not None


def clear(folder: StackFolder) -> None:
    """Remove the files that are only valid while a stack runs."""
    folder.state.unlink(missing_ok=True)
    # A function that is ending may still write to it.
    for _ in range(_CLEAR_ATTEMPTS):
        shutil.rmtree(folder.temporary, ignore_errors=True)
        if not folder.temporary.exists():
            break
        time.sleep(0.05)
    publish(folder.root)


def log_tail(path: Path) -> str:
    """Return the last lines of a log, for error messages."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-25:])


def _acquire(folder: StackFolder) -> IO[str]:
    lock = folder.lock.open("a+")
    # An emulator whose command was killed gets time to end.
    deadline = time.monotonic() + _DYING_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            lock.close()
            raise LocalError(
                f"A stack is already running on port {folder.port} ({folder.state}).\n"
                f"Stop it with `make down LOCAL_PORT={folder.port}`, show it with `.venv/bin/python -m local status "
                f"--port {folder.port}`, or run another beside it: `make run LOCAL_PORT={_another(folder.port)}`."
            ) from None
        lock.truncate(0)
        return lock


def _check_port(port: int) -> None:
    try:
        free = ports.is_free(port)
    except PermissionError:
        raise LocalError(
            f"Port {port} requires administrator rights. Choose another port: `make run LOCAL_PORT={DEFAULT_PORT}`."
        ) from None
    if not free:
        raise LocalError(
            f"Port {port} is in use by {ports.holder(port)}.\n"
            f"Stop that program, or choose another port: `make run LOCAL_PORT={_another(port)}`."
        )


def _another(port: int) -> int:
    """Return a free port to suggest."""
    unprivileged = range(max(port + 1, 1024), LAST_PORT + 1)
    return next((each for each in unprivileged if ports.is_free(each)), DEFAULT_PORT)


def _environment(folder: StackFolder, root: Credentials) -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
        "BIND_HOST": ports.LOOPBACK,
        "DOCKER_HOST": f"unix://{folder.temporary}/no-docker",  # hides this machine's containers
        "GATEWAY_PORT": str(folder.port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "MINISTACK_REGION": REGION,
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "S3_DATA_DIR": str(folder.temporary / "s3"),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder.temporary / "state"),
        "TMPDIR": str(folder.temporary),
    }


def _await_health(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            status = server.process.returncode
            raise LocalError(f"The emulator ended while starting (status {status}).\n{log_tail(server.folder.log)}")
        connection = http.client.HTTPConnection(ports.LOOPBACK, server.folder.port, timeout=5)
        try:
            connection.request("GET", HEALTH_PATH)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    raise LocalError(f"The emulator did not respond within {_START_SECONDS} s.\n{log_tail(server.folder.log)}")


def _kill(process_group: int) -> None:
    """Kill an emulator and its functions; they have nothing to save."""
    with suppress(ProcessLookupError):
        os.killpg(process_group, signal.SIGKILL)
