"""A function's package: its dependencies, its own code and the shared code, in the layout that is imported."""

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from functions.shared import contract
from infra.packaging import bytecode
from infra.packaging.archive import write_archive
from infra.packaging.dependencies import build_dependencies
from infra.packaging.target import Target
from infra.packaging.workspace import BUILD, PackagingError, digest, make_once
from infra.paths import REPOSITORY
from infra.permissions import PERMISSIONS

#: The functions of an environment, by their folder under ``functions``.
DEPLOYED_FUNCTIONS: Final = tuple(PERMISSIONS)


def aws_operations(function: str) -> Mapping[str, Collection[str]]:
    """Return the AWS operations that a package supports, by service: those of every function that calls the service.

    The services are the function's own. A service has the same operations in every package, so that functions with the
    same requirements share their dependencies.
    """
    services = {service for service, _ in _called(function)}
    called = [action for each in DEPLOYED_FUNCTIONS for action in _called(each)]
    return {service: {operation for its, operation in called if its == service} for service in sorted(services)}


def build_package(function: str, target: Target, *, source: Path = REPOSITORY, build: Path = BUILD) -> Path:
    """Return the folder that becomes a function's zip; build it if its inputs changed.

    Parameters
    ----------
    function
        The function's folder under ``functions``.
    target
        The machine that runs it.
    source
        The folder that contains ``functions`` and ``requirements.txt``.
    build
        The folder to build in.

    Raises
    ------
    PackagingError
        The function has no handler, a package is not available, or a module does not compile.
    """
    return _build_package(function, _dependencies(function, target, source, build), target, source, build)


def build_archive(function: str, target: Target, *, source: Path = REPOSITORY, build: Path = BUILD) -> Path:
    """Return a function's zip, which is named after its contents; build it if its inputs changed.

    The parameters and errors are those of `build_package`.
    """
    dependencies = _dependencies(function, target, source, build)
    package = _build_package(function, dependencies, target, source, build)
    archives = build / target.name / "archives"

    def compress(folder: Path) -> None:
        write_archive(folder, dependencies, _files(dependencies))

    (compressed,) = make_once(archives / "dependencies" / dependencies.name, compress).iterdir()

    def add_functions(folder: Path) -> None:
        write_archive(folder, package, _files(package / "functions"), base=compressed)

    (archive,) = make_once(archives / function / package.name, add_functions).iterdir()
    return archive


def _build_package(function: str, dependencies: Path, target: Target, source: Path, build: Path) -> Path:
    root = source / "functions"
    modules = [root / "__init__.py", *sorted((root / "shared").rglob("*.py")), *sorted((root / function).rglob("*.py"))]
    files = {path.relative_to(source).as_posix(): path.read_bytes() for path in modules}
    handler = contract.handler_path(function).rpartition(".")[0].replace(".", "/") + ".py"
    if handler not in files:
        raise PackagingError(f"{function} has no {handler}.")
    contents = [part for name, content in files.items() for part in (name.encode(), content)]

    def make(folder: Path) -> None:
        # Hard links: packages with the same dependencies share them on disk.
        shutil.copytree(dependencies, folder, copy_function=os.link, dirs_exist_ok=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        bytecode.compile_tree(folder / "functions", "/var/task/functions")

    return make_once(build / target.name / function / digest([dependencies.name.encode(), *contents]), make)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _dependencies(function: str, target: Target, source: Path, build: Path) -> Path:
    requirements = source / "functions" / function / "requirements.txt"
    return build_dependencies(requirements, source / "requirements.txt", aws_operations(function), target, build)


def _called(function: str) -> list[tuple[str, str]]:
    """Return service and operation of each call that a function's own code may make."""
    granted = PERMISSIONS[function]
    actions = (*granted.table, *granted.secret_key, *granted.proof_keys, *granted.event_bus, *granted.dead_letters)
    return [(service, operation) for service, _, operation in (action.partition(":") for action in actions)]
