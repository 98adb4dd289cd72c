"""A function's third-party packages: installed for the target, cut to what it uses, compiled."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from infra.packaging import botocore_data, bytecode
from infra.packaging.errors import PackagingError
from infra.packaging.progress import say
from infra.packaging.target import Target
from infra.packaging.workspace import digest, make_once

#: Folders that no function imports: cryptography needs cffi's extension module alone, the functions log and count
#: with Powertools and do not route with it, and nothing here reads time zones.
_UNUSED: Final = (
    *("bin", "boto3/data", "boto3/examples", "**/tests"),
    *("cffi", "pycparser", "aws_lambda_powertools/event_handler", "dateutil/zoneinfo"),
)

#: Files for type checkers, and records of the installation: they name scripts of this machine, so that they would
#: differ elsewhere.
_UNUSED_FILES: Final = ("**/*.pyi", ".lock", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED")


def build_dependencies(requirements: Path, services: Sequence[str], target: Target, build: Path) -> Path:
    """Return a folder with everything a requirements file asks for.

    Built once for each distinct file, list of services, target, and version of the building code.

    Parameters
    ----------
    requirements
        Complete, pinned and hashed.
    services
        AWS services (botocore's names) whose API models are kept.
    target
        The machine that the packages must run on.
    build
        The folder to build in.

    Raises
    ------
    PackagingError
        A wheel cannot be had, or bytecode cannot be made.
    """
    bytecode.require_runtime_python()
    recipe = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    inputs = [requirements.read_bytes(), repr(sorted(services)).encode(), target.name.encode(), *recipe]

    def make(folder: Path) -> None:
        started = time.monotonic()
        say(f"installing {requirements.parent.name}'s packages for {target.name}")
        _install(requirements, target, folder)
        _cut(folder, services)
        bytecode.compile_tree(folder)
        say(f"installed and compiled in {time.monotonic() - started:.1f} s")

    return make_once(build / target.name / "dependencies" / digest(inputs), make)


def _install(requirements: Path, target: Target, folder: Path) -> None:
    # Copies: a hard link into uv's cache would let the cut below reach into it.
    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--link-mode", "copy"]
    command += ["--python-version", "3.13", "--only-binary", ":all:", "--target", str(folder)]
    if target.platform:
        command += ["--python-platform", target.platform]
    command += ["-r", str(requirements)]
    # What uv has already fetched needs no network, not even a look at the index.
    for attempt in ([*command, "--offline"], command):
        finished = subprocess.run(attempt, capture_output=True, text=True, check=False)  # noqa: S603 (as above)
        if not finished.returncode:
            return
        shutil.rmtree(folder)
        folder.mkdir()
    raise PackagingError(f"Cannot install {requirements} for {target.name}:\n{finished.stderr.strip()}")


def _cut(folder: Path, services: Sequence[str]) -> None:
    for pattern in _UNUSED:
        for unused in list(folder.glob(pattern)):
            shutil.rmtree(unused)
    for pattern in _UNUSED_FILES:
        for unused in list(folder.glob(pattern)):
            unused.unlink()
    if (folder / "botocore").is_dir():
        botocore_data.cut(folder / "botocore" / "data", services)
