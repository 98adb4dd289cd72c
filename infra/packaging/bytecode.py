"""Bytecode for the Lambda runtime, made at build time.

``/var/task`` is read-only on Lambda: without bytecode in the package every cold start compiles every module
again, and bytecode of another Python version is ignored. It is *unchecked*: neither time stamps, which differ
from build to build, nor a look at the sources.
"""

import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Final

from infra.packaging.errors import PackagingError

PYTHON: Final = (3, 13)

#: Header flags of a hash-based pyc that is not checked against its source (PEP 552).
_UNCHECKED_HASH: Final = (0b01).to_bytes(4, "little")


def require_runtime_python() -> None:
    """Raise ``PackagingError`` unless this Python makes the bytecode that the Lambda runtime reads."""
    if sys.version_info[:2] != PYTHON:
        wanted, running = (".".join(map(str, version)) for version in (PYTHON, sys.version_info[:2]))
        raise PackagingError(
            f"Packages need bytecode of Python {wanted}, but this is Python {running}: run `make setup`."
        )


def compile_tree(folder: Path, prefix: str = "/var/task") -> None:
    """Compile every module below a folder and check that nothing was left out.

    Parameters
    ----------
    folder
        The folder to compile.
    prefix
        Where the folder will be on Lambda, for tracebacks.
    """
    require_runtime_python()
    # In a process of its own: -I keeps the caller's environment out. One worker: a module's constants are then
    # interned in the same order in every build, and so are its bytes.
    command = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    finished = subprocess.run(  # noqa: S603 (our own interpreter and paths)
        [*command, "-s", str(folder), "-p", prefix, str(folder)], capture_output=True, text=True, check=False
    )
    if finished.returncode:
        raise PackagingError(f"Cannot compile {folder}:\n{finished.stdout}{finished.stderr}")
    check_bytecode(folder)


def check_bytecode(folder: Path) -> None:
    """Raise ``PackagingError`` if a module below the folder lacks bytecode that the runtime would use."""
    tag = f"cpython-{PYTHON[0]}{PYTHON[1]}"
    for source in sorted(folder.rglob("*.py")):
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        if not compiled.is_file():
            raise PackagingError(f"No bytecode for {source}: every cold start would compile it.")
        with compiled.open("rb") as file:
            if file.read(8) != MAGIC_NUMBER + _UNCHECKED_HASH:
                raise PackagingError(f"Bytecode of the wrong kind for {source}: expected an unchecked hash.")
