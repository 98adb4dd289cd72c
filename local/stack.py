"""What a running stack is reached by, and where it is written down: ``.local/stack.json``."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

from infra.paths import REPOSITORY
from local.errors import LocalError

DEFAULT_PORT: Final = 4566
STATE_FILE: Final = "stack.json"
_CONSOLE_OFFSET: Final = 1000
LAST_PORT: Final = 65535


class BrokenStateError(LocalError, ValueError):
    """A state file that is none, or of another version of this checkout."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployed local environment.

    Attributes
    ----------
    api_url
        Base URL of the API including the stage, without a slash at the end.
    endpoint_url
        The embedded AWS: what SDKs and the AWS command line take as endpoint.
    console_url
        The console's web page: the one origin that the API allows.
    functions
        Lambda names by the folder under ``functions/``.
    access_key_id, secret_access_key
        Credentials of an administrator of the embedded AWS.
    """

    api_url: str
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

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a state file.

        Raises
        ------
        FileNotFoundError
            No stack is running there.
        BrokenStateError
            The file is none of ours, or of another version; the message says how to start anew.
        """
        try:
            document: dict[str, Any] = json.loads(path.read_text())
            return cls(**document)
        except (TypeError, ValueError) as error:
            port = path.resolve().parent.name
            option = f" LOCAL_PORT={port}" if port.isdigit() else ""
            raise BrokenStateError(
                f"{path} cannot be read: {error}.\n"
                "It may be of another version of this checkout. Start anew: "
                f"`make down{option}`, then `make run{option}`."
            ) from None

    def save(self, path: Path) -> None:
        """Write the state file in one step, readable by its owner alone: it holds credentials."""
        draft = path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")
        draft.replace(path)


FIELDS: Final = tuple(field.name for field in fields(Stack))


@dataclass(frozen=True)
class StackFolder:
    """The directory of one stack: everything it writes is below it.

    Parameters
    ----------
    port
        Port of the embedded AWS on 127.0.0.1.
    root
        Directory shared by the stacks of a checkout; the tests give their own.
    """

    port: int = DEFAULT_PORT
    root: Path = REPOSITORY / ".local"

    @property
    def directory(self) -> Path:
        """Everything of this stack: ``.local/{port}``."""
        return self.root / str(self.port)

    @property
    def console_port(self) -> int:
        """The port that the console has where it is free: always the same one for people to come back to."""
        port = self.port + _CONSOLE_OFFSET
        return port if port <= LAST_PORT else self.port - _CONSOLE_OFFSET

    @property
    def state(self) -> Path:
        """The state file of this stack: ``.local/{port}/stack.json``."""
        return self.directory / STATE_FILE

    @property
    def lock(self) -> Path:
        """Held, with the emulator's process id as its content, for as long as the emulator lives."""
        return self.directory / "lock"

    @property
    def log(self) -> Path:
        """What the emulator prints."""
        return self.directory / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """What the last deployment printed."""
        return self.directory / "deploy.log"

    @property
    def temporary(self) -> Path:
        """The emulator's own temporary directory: extracted function code and the like."""
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
        """Make the directory, closed to other users."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def _exclusive(root: Path) -> Iterator[None]:
    with (root / "link.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def publish(root: Path) -> None:
    """Let ``.local/stack.json`` name the stack that people mean when they name none.

    That is the one on the default port, else the one on the lowest port; with none running the link goes away.
    """
    if not root.exists():
        return
    with _exclusive(root):
        ports = sorted(int(state.parent.name) for state in root.glob(f"[0-9]*/{STATE_FILE}"))
        link = root / STATE_FILE
        if not ports:
            link.unlink(missing_ok=True)
            return
        port = DEFAULT_PORT if DEFAULT_PORT in ports else ports[0]
        draft = root / "stack.link"
        draft.unlink(missing_ok=True)
        draft.symlink_to(Path(str(port)) / STATE_FILE)
        draft.replace(link)
