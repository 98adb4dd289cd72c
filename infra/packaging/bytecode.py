"""Bytecode for the Lambda runtime, compiled when a package is built.

``/var/task`` is read-only on Lambda. Without bytecode of the runtime's Python version in the package, every cold start
compiles every module again. The bytecode is marked *unchecked*: a time stamp would differ from build to build, and
checking against the source would cost time.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.packaging.workspace import PackagingError

#: The version of the Lambda runtime.
PYTHON: Final = "3.13"


def compile_tree(folder: Path, prefix: str = "/var/task") -> None:
    """Compile every module below a folder.

    Parameters
    ----------
    folder
        The folder to compile.
    prefix
        Where the folder will be on Lambda; tracebacks show this path.

    Raises
    ------
    PackagingError
        A module does not compile, or this is not the runtime's Python version.
    """
    running = ".".join(map(str, sys.version_info[:2]))
    if running != PYTHON:
        raise PackagingError(
            f"Packages need bytecode of Python {PYTHON}, but this is Python {running}: run `make setup`."
        )
    # In a separate, isolated process, with one worker: a module's constants are then interned in the same order in
    # every build, which gives the same bytes.
    command = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    finished = subprocess.run(  # noqa: S603 (our own interpreter and paths)
        [*command, "-s", str(folder), "-p", prefix, str(folder)], capture_output=True, text=True, check=False
    )
    if finished.returncode:
        raise PackagingError(f"Cannot compile {folder}:\n{finished.stdout}{finished.stderr}")
