"""A digest of what the synthesis reads, by which a start recognises that CDK's last output is still current."""

import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY

#: What the app is made of. The files at the root are read as well: cdk.json, the lock files, files of settings.
_FOLDERS: Final = ("infra", "functions")


def inputs_digest(settings: Sequence[str], root: Path = REPOSITORY) -> str:
    """Return a digest of everything that the synthesis of the local environment reads.

    Parameters
    ----------
    settings
        The CDK options that select the environment, and its region.
    root
        The checkout. The user's own settings for CDK, ``~/.cdk.json``, are read as well.
    """
    digest = hashlib.sha256(repr((platform.python_version(), platform.machine(), *settings)).encode())
    found = [*root.iterdir(), Path.home() / ".cdk.json"]
    for folder in _FOLDERS:
        found += (root / folder).rglob("*")
    for path in sorted(found):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"\0{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
