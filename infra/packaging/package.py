"""One function's package: its dependencies, its own code and the shared code, under the names that are imported."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from functions.shared import contract
from infra.packaging import bytecode
from infra.packaging.dependencies import build_dependencies
from infra.packaging.errors import PackagingError
from infra.packaging.target import Target
from infra.packaging.workspace import BUILD, digest, make_once
from infra.paths import REPOSITORY

#: The functions that an environment has.
DEPLOYED_FUNCTIONS: Final = (
    *(endpoint.function for endpoint in contract.ENDPOINTS),
    contract.AUTHORIZER_FUNCTION,
    contract.SECURITY_EVENTS_FUNCTION,
)

_SECRETS: Final = ("dynamodb", "kms")

#: The AWS services that each function calls, in botocore's names.
AWS_SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    contract.SETUP.function: _SECRETS,
    contract.VERIFY_SETUP.function: _SECRETS,
    contract.VERIFY.function: _SECRETS,
    contract.DISABLE.function: _SECRETS,
    contract.BACKUP_CODES.function: _SECRETS,
    contract.STATUS.function: ("dynamodb",),
    contract.AUTHORIZER_FUNCTION: (),
    contract.SECURITY_EVENTS_FUNCTION: ("events", "sqs"),
}


def build_package(function: str, target: Target, *, source: Path = REPOSITORY, build: Path = BUILD) -> Path:
    """Return the folder that becomes a function's zip; build it if its inputs changed.

    Parameters
    ----------
    function
        The function's folder under ``functions``.
    target
        The machine that runs it.
    source
        The folder with ``functions`` in it.
    build
        The folder to build in.

    Raises
    ------
    PackagingError
        The function has no handler, a wheel cannot be had, or bytecode cannot be made.
    """
    files = dict(_own_code(function, source))
    handler = Path(*contract.handler_path(function).split(".")[:-1]).with_suffix(".py")
    if handler not in files:
        raise PackagingError(f"{function} has no {handler}.")
    requirements = source / "functions" / function / "requirements.txt"
    dependencies = build_dependencies(requirements, AWS_SERVICES[function], target, build)
    contents = [part for name, content in files.items() for part in (name.as_posix().encode(), content)]
    key = digest([dependencies.name.encode(), *contents])

    def make(folder: Path) -> None:
        # Links: a dependency is on disk once, however many packages carry it.
        shutil.copytree(dependencies, folder, copy_function=os.link, dirs_exist_ok=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        bytecode.compile_tree(folder / "functions", "/var/task/functions")

    return make_once(build / target.name / function / key, make)


def _own_code(function: str, source: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the modules that the function consists of, by their path in the package, in a fixed order."""
    root = source / "functions"
    for path in (
        root / "__init__.py",
        *sorted((root / "shared").rglob("*.py")),
        *sorted((root / function).rglob("*.py")),
    ):
        yield path.relative_to(source), path.read_bytes()
