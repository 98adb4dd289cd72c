"""Docker where there is one, podman elsewhere: the few commands that the images' test needs of either."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CONTAINERS_CONF: Final = Path(__file__).parent / "stand_in" / "containers.conf"
#: A container may do nothing but run as its own user: no network, no file but in /tmp, no privilege.
_LOCKED_DOWN: Final = (
    *("--network", "none", "--read-only", "--tmpfs", "/tmp:rw,nosuid,nodev"),  # noqa: S108 - the container's own
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
)


class EngineError(Exception):
    """There is no engine, or a command of it failed; the message is for people."""


@dataclass(frozen=True)
class Engine:
    """A container engine.

    Attributes
    ----------
    name
        Its command: ``docker`` or ``podman``.
    environment
        What its command needs in its environment, besides what is there.
    """

    name: str
    environment: Mapping[str, str]

    @property
    def is_docker(self) -> bool:
        """Whether it is Docker, which can have the base image of AWS."""
        return self.name == "docker"

    def run(self, *arguments: str, given: str | bytes | None = None) -> str:
        """Run a command and return what it prints.

        Raises
        ------
        EngineError
            It failed; the message has the end of what it said.
        """
        finished = subprocess.run(
            [self.name, *arguments],
            env=os.environ | self.environment,
            input=given.encode() if isinstance(given, str) else given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
        )
        if finished.returncode:
            said = (finished.stdout + finished.stderr).decode(errors="replace")[-3000:]
            raise EngineError(f"{self.name} {' '.join(arguments[:2])} failed:\n{said}")
        return finished.stdout.decode()

    def has_image(self, tag: str) -> bool:
        """Tell whether there is an image of a name."""
        return bool(self.run("images", "--quiet", tag).strip())

    def build(self, context: Path, tag: str, *, dockerfile: Path, arguments: Mapping[str, str]) -> None:
        """Build an image."""
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        self.run("build", "--network=host", *options, f"--file={dockerfile}", f"--tag={tag}", str(context))

    @contextmanager
    def container(
        self, image: str, command: Sequence[str], *, environment: Mapping[str, str], mounted: Path
    ) -> Iterator[str]:
        """Run a container, locked down, for the length of a block; yields its name.

        Parameters
        ----------
        mounted
            A file that the container sees under ``/mounted``, for reading.
        """
        name = f"mfa-image-test-{uuid.uuid4().hex[:12]}"
        variables = [f"--env={key}={value}" for key, value in environment.items()]
        options = ["--detach", f"--name={name}", f"--volume={mounted}:/mounted:ro", *_LOCKED_DOWN, *variables]
        self.run("run", *options, image, *command)
        try:
            yield name
        except Exception as error:
            error.add_note(self._logs(name))
            raise
        finally:
            self.run("rm", "--force", name)

    def _logs(self, container: str) -> str:
        finished = subprocess.run(
            [self.name, "logs", container],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return f"-- the container's log\n{finished.stdout.decode(errors='replace')[-3000:]}"


def find_engine() -> Engine:
    """Return Docker if its daemon answers, else podman.

    Raises
    ------
    EngineError
        There is neither; the message says how to get one.
    """
    if shutil.which("docker") and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:  # noqa: S607
        return Engine("docker", {})
    if shutil.which("podman"):
        return Engine("podman", {"CONTAINERS_CONF": os.environ.get("CONTAINERS_CONF", str(_CONTAINERS_CONF))})
    raise EngineError(
        "No container engine: neither a Docker daemon nor podman.\n"
        "On Debian and Ubuntu scripts/install_image_tools.sh installs podman and what goes with it."
    )


def say(line: str) -> None:
    """Write a line of progress at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
