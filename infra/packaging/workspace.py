"""Build folders that are named after a digest of their inputs, so that each is built once."""

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY

BUILD: Final = REPOSITORY / "build"


class PackagingError(Exception):
    """A package cannot be built; the message says why and what to do."""


def report(line: str) -> None:
    """Write a line of progress to standard error: the CDK CLI uses standard output for templates."""
    sys.stderr.write(f"  packaging: {line}\n")
    sys.stderr.flush()


def digest(parts: Iterable[bytes]) -> str:
    """Return a short digest of the parts; it depends on their order and on where each part ends."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def make_once(finished: Path, make: Callable[[Path], None]) -> Path:
    """Return the finished folder; call ``make`` with an empty folder to fill if it does not exist yet.

    The folder is filled under a temporary name and then renamed, so a folder that exists is complete. If two builds
    race, the later result is discarded.
    """
    if finished.is_dir():
        return finished
    finished.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{finished.name}-", dir=finished.parent) as temporary:
        folder = Path(temporary, "folder")
        folder.mkdir()
        make(folder)
        _set_modes(folder)
        try:
            folder.rename(finished)
        except OSError:
            if not finished.is_dir():
                raise
    return finished


def _set_modes(folder: Path) -> None:
    """Make every file readable for Lambda's user and independent of the builder's umask."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
