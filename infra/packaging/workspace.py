"""Finished folders that are named after a digest of what they were made from."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY

BUILD: Final = REPOSITORY / "build"


def digest(parts: Iterable[bytes]) -> str:
    """Return a short digest of the parts in their order; where one ends and the next begins counts."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def make_once(finished: Path, make: Callable[[Path], None]) -> Path:
    """Return the finished folder; make it if it is not there.

    It is made aside and moved into place complete, so that whoever sees it can use it, and two builds may run at
    once: the one that ends last throws its own work away.
    """
    if finished.is_dir():
        return finished
    finished.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{finished.name}-", dir=finished.parent))
    try:
        folder = aside / "folder"
        folder.mkdir()
        make(folder)
        _set_modes(folder)
        try:
            folder.rename(finished)
        except OSError:
            if not finished.is_dir():
                raise
    finally:
        shutil.rmtree(aside)
    return finished


def _set_modes(folder: Path) -> None:
    """Give every file the same mode whatever the builder's mask; readable for Lambda's own user."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
