"""How to reach a running stack, and the file with these addresses: ``.local/stack.json``."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from infra.paths import REPOSITORY
from local import ports
from local.errors import LocalError

DEFAULT_PORT: Final = 4566
STATE_FILE: Final = "stack.json"
_CONSOLE_OFFSET: Final = 1000
LAST_PORT: Final = 65535


class BrokenStateError(LocalError, ValueError):
    """A state file is not valid, or comes from another version of this checkout."""


@dataclass(frozen=True)
class Credentials:
    """An access key in the emulated AWS; keys of an assumed role have a session token."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployed local environment.

    Attributes
    ----------
    api_url
        Base URL of the API including the stage, without a trailing slash; also ``iss`` of the proofs.
    protected_api_url
        Base URL of the API that accepts only proofs, without a trailing slash.
    endpoint_url
        The endpoint URL for SDKs and the AWS command line.
    console_url
        The console's web page: the only origin that the API allows.
    functions
        Lambda names by the folder under ``functions/``.
    access_key_id, secret_access_key
        Credentials of an administrator of the emulated AWS.
    """

    api_url: str
    protected_api_url: str
    endpoint_url: str
    console_url: str
    region: str
    environment: str
    issuer: str
    jwks_url: str
    user_pool_id: str
    client_id: str
    table_name: str
    key_arn: str
    functions: dict[str, str]
    access_key_id: str
    secret_access_key: str

    @property
    def administrator(self) -> Credentials:
        """The access key of an administrator of the emulated AWS."""
        return Credentials(self.access_key_id, self.secret_access_key)

    def sdk_variables(self) -> dict[str, str]:
        """Return the environment variables with which AWS SDKs reach this stack's AWS as its administrator."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
        }

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a state file.

        Raises
        ------
        FileNotFoundError
            No stack is running.
        BrokenStateError
            The file is not valid, or comes from another version; the message says how to restart.
        """
        try:
            document: dict[str, Any] = json.loads(path.read_text())
            return cls(**document)
        except (TypeError, ValueError) as error:
            port = path.resolve().parent.name
            option = f" LOCAL_PORT={port}" if port.isdigit() else ""
            raise BrokenStateError(
                f"{path} cannot be read: {error}.\n"
                "It may come from another version of this checkout. Restart it: "
                f"`make down{option}`, then `make run{option}`."
            ) from None

    def save(self, path: Path) -> None:
        """Write the state file atomically. Only its owner can read it, because it contains credentials."""
        draft = path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")
        draft.replace(path)


@dataclass(frozen=True)
class StackFolder:
    """The folder of one stack, which contains all its files.

    Parameters
    ----------
    port
        Port of the emulated AWS on 127.0.0.1.
    root
        Parent folder of the stacks of a checkout; tests use their own.
    """

    port: int = DEFAULT_PORT
    root: Path = REPOSITORY / ".local"

    @property
    def directory(self) -> Path:
        """The folder itself: ``.local/{port}``."""
        return self.root / str(self.port)

    @property
    def endpoint_url(self) -> str:
        """The URL of the emulated AWS."""
        return ports.url(self.port)

    @property
    def console_port(self) -> int:
        """The port of the console if it is free: always the same, so that bookmarks work."""
        port = self.port + _CONSOLE_OFFSET
        return port if port <= LAST_PORT else self.port - _CONSOLE_OFFSET

    @property
    def state(self) -> Path:
        """The state file of this stack: ``.local/{port}/stack.json``."""
        return self.directory / STATE_FILE

    @property
    def lock(self) -> Path:
        """The lock file, which the emulator holds while it runs; contains its process id."""
        return self.directory / "lock"

    @property
    def log(self) -> Path:
        """The emulator's output."""
        return self.directory / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """The output of the last deployment."""
        return self.directory / "deploy.log"

    @property
    def temporary(self) -> Path:
        """The emulator's temporary directory, for example for the functions' code."""
        return self.directory / "tmp"

    @property
    def assembly(self) -> Path:
        """The output of CDK."""
        return self.directory / "cdk.out"

    @property
    def outputs(self) -> Path:
        """The outputs of the deployed stacks, as CDK writes them."""
        return self.directory / "outputs.json"

    def create(self) -> None:
        """Create the folder, which other users cannot read."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)


def publish(root: Path) -> None:
    """Point ``.local/stack.json`` to the default stack.

    That is the one on the default port, else the one on the lowest port. Without a running stack the link is removed.
    """
    if not root.exists():
        return
    with (root / "link.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = sorted(int(state.parent.name) for state in root.glob(f"[0-9]*/{STATE_FILE}"))
        link = root / STATE_FILE
        if not running:
            link.unlink(missing_ok=True)
            return
        port = DEFAULT_PORT if DEFAULT_PORT in running else running[0]
        draft = root / "stack.link"
        draft.unlink(missing_ok=True)
        draft.symlink_to(Path(str(port)) / STATE_FILE)
        draft.replace(link)


def default_port(root: Path) -> int:
    """Return the port of the stack that ``.local/stack.json`` points to; without a running stack the default port."""
    link = root / STATE_FILE
    return int(link.readlink().parent.name) if link.is_symlink() else DEFAULT_PORT
