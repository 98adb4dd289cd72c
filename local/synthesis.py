"""Recognises whether CDK's output is still that of the present sources and settings."""

import hashlib
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY

#: What the app is made of. The files at the root are read as well: cdk.json, the lock files, files of settings.
_FOLDERS: Final = ("infra", "functions")
#: In CDK's output, so that it disappears with it.
_INPUTS_FILE: Final = "inputs.sha256"


def inputs_digest(settings: Sequence[str], *, root: Path = REPOSITORY, home: Path | None = None) -> str:
    """Return a digest of everything that the synthesis of the local environment reads.

    Parameters
    ----------
    settings
        The CDK options that select the environment, and its region.
    root
        The checkout.
    home
        The folder of ``.cdk.json``, which has a user's own settings for CDK.
    """
    whole = hashlib.sha256(repr((platform.python_version(), platform.machine(), *settings)).encode())
    for path in _files(root, home or Path.home()):
        whole.update(f"\0{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _files(root: Path, home: Path) -> Iterator[Path]:
    found = [*root.iterdir(), home / ".cdk.json"]
    for folder in _FOLDERS:
        found += (root / folder).rglob("*")
    return (path for path in sorted(found) if path.is_file() and "__pycache__" not in path.parts)


def is_current(assembly: Path, digest: str) -> bool:
    """Return whether CDK's output was made from these inputs."""
    try:
        return (assembly / _INPUTS_FILE).read_text() == digest
    except FileNotFoundError:
        return False


def forget(assembly: Path) -> None:
    """Before a synthesis: it may fail half-way."""
    (assembly / _INPUTS_FILE).unlink(missing_ok=True)


def remember(assembly: Path, digest: str) -> None:
    """Note what CDK's output was made from, once it is complete."""
    (assembly / _INPUTS_FILE).write_text(digest)
