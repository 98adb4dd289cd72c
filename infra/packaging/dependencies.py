"""A function's third-party packages: installed for the target, trimmed to what the function uses, compiled."""

import shutil
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from infra.packaging import botocore_data, bytecode
from infra.packaging.target import Target
from infra.packaging.workspace import PackagingError, digest, make_once, report

#: Folders that no function imports. cryptography needs only cffi's extension module, Powertools is used for logs and
#: metrics and not for routing, and time zones are not read.
_UNUSED: Final = (
    *("bin", "boto3/data", "boto3/examples", "**/tests"),
    *("cffi", "pycparser", "aws_lambda_powertools/event_handler", "dateutil/zoneinfo"),
)

#: Files for type checkers, and records of the installation, which differ from machine to machine.
_UNUSED_FILES: Final = ("**/*.pyi", ".lock", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED")


def build_dependencies(
    requirements: Path, constraints: Path, operations: Mapping[str, Collection[str]], target: Target, build: Path
) -> Path:
    """Return a folder with the packages of a requirements file and everything that they depend on.

    It is built once for each combination of the inputs and of this package's own code.

    Parameters
    ----------
    requirements
        The direct dependencies.
    constraints
        Versions and hashes of every package that may be installed.
    operations
        The AWS operations whose API models are kept, by service; both as botocore names them.
    target
        The machine that the packages must run on.
    build
        The folder to build in.

    Raises
    ------
    PackagingError
        A package is not available for the target or does not have the expected hash, or a module does not compile.
    """
    recipe = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    models = repr(sorted((service, sorted(names)) for service, names in operations.items()))
    inputs = [requirements.read_bytes(), constraints.read_bytes(), models.encode(), target.name.encode(), *recipe]

    def make(folder: Path) -> None:
        report(f"installing the dependencies of {requirements.parent.name} for {target.name}")
        _install(requirements, constraints, target, folder)
        _trim(folder, operations)
        bytecode.compile_tree(folder)

    return make_once(build / target.name / "dependencies" / digest(inputs), make)


def _install(requirements: Path, constraints: Path, target: Target, folder: Path) -> None:
    # Copies, because trimming would change hard-linked files in uv's cache as well.
    command = [find_uv_bin(), "pip", "install", "--quiet", "--require-hashes", "--link-mode", "copy"]
    command += ["--python-version", bytecode.PYTHON, "--only-binary", ":all:", "--target", str(folder)]
    if target.platform:
        command += ["--python-platform", target.platform]
    command += ["-r", str(requirements), "-c", str(constraints)]
    # First from uv's cache only: packages that it holds are installed without a request to the index.
    for attempt in ([*command, "--offline"], command):
        finished = subprocess.run(attempt, capture_output=True, text=True, check=False)  # noqa: S603 (as above)
        if not finished.returncode:
            return
        shutil.rmtree(folder)
        folder.mkdir()
    raise PackagingError(f"Cannot install {requirements} for {target.name}:\n{finished.stderr.strip()}")


def _trim(folder: Path, operations: Mapping[str, Collection[str]]) -> None:
    for pattern in _UNUSED:
        for unused in list(folder.glob(pattern)):
            shutil.rmtree(unused)
    for pattern in _UNUSED_FILES:
        for unused in list(folder.glob(pattern)):
            unused.unlink()
    if (folder / "botocore").is_dir():
        botocore_data.trim(folder / "botocore" / "data", operations)
