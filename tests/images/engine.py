"""The commands of Docker or podman that the test of the images needs."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CONTAINERS_CONF: Final = Path(__file__).parent / "stand_in" / "containers.conf"
#: A container runs without network and privileges, and can write only to /tmp.
_LOCKED_DOWN: Final = (
    *("--network", "none", "--read-only", "--tmpfs", "/tmp:rw,nosuid,nodev"),  # noqa: S108 - the container's own
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
)


class EngineError(Exception):
    """There is no container engine, or one of its commands failed; the message says why."""


@dataclass(frozen=True)
class Engine:
    """A container engine.

    Attributes
    ----------
    name
        Its command: ``docker`` or ``podman``.
    """

    name: str

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command and return its standard output.

        Raises
        ------
        EngineError
            The command failed; the message has the end of its output.
        """
        command = [self.name, *arguments]
        environment = {"CONTAINERS_CONF": str(_CONTAINERS_CONF)} | os.environ
        finished = subprocess.run(
            command, env=environment, input=stdin or "", capture_output=True, check=False, text=True, errors="replace"
        )
        if finished.returncode:
            output = (finished.stdout + finished.stderr)[-3000:]
            raise EngineError(f"{self.name} {' '.join(arguments[:2])} failed:\n{output}")
        return finished.stdout

    def has_image(self, tag: str) -> bool:
        """Return whether an image with this tag exists."""
        return bool(self.run("images", "--quiet", tag).strip())

    def build(self, context: Path, tag: str, *, dockerfile: str, arguments: Mapping[str, str]) -> None:
        """Build an image from a Dockerfile, whose path is relative to the context."""
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        self.run("build", "--network=host", *options, f"--file={context / dockerfile}", f"--tag={tag}", str(context))

    @contextmanager
    def container(
        self, image: str, command: Sequence[str], *, environment: Mapping[str, str], mounted: Path
    ) -> Iterator[str]:
        """Run a locked-down container for the length of a block; yield its name.

        Parameters
        ----------
        mounted
            A file that the container can read as ``/mounted``.
        """
        name = f"mfa-image-test-{uuid.uuid4().hex[:12]}"
        variables = [f"--env={key}={value}" for key, value in environment.items()]
        options = ["--detach", f"--name={name}", f"--volume={mounted}:/mounted:ro", *_LOCKED_DOWN, *variables]
        self.run("run", *options, image, *command)
        try:
            yield name
        except Exception as error:
            error.add_note(f"-- the container's standard output\n{self.run('logs', name)[-3000:]}")
            raise
        finally:
            self.run("rm", "--force", name)


def find_engine() -> Engine:
    """Return Docker if its daemon can be reached, else podman.

    Raises
    ------
    EngineError
        Neither is available; the message says how to install one.
    """
    if shutil.which("docker") and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:  # noqa: S607
        return Engine("docker")
    if shutil.which("podman"):
        return Engine("podman")
    raise EngineError(
        "There is no container engine: neither a Docker daemon nor podman.\n"
        "On Debian and Ubuntu, scripts/install_image_tools.sh installs podman."
    )
