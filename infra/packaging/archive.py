"""Zips whose bytes depend only on the files in them.

The CDK CLI compresses a folder again for each cloud assembly, and uploads a zip as it is.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

#: A regular file that all users can read: Lambda runs the function as another user than the one who builds the package.
# https://repost.aws/knowledge-center/lambda-deployment-package-errors
_MODE: Final = 0o100644
_UNIX: Final = 3


def write_archive(to: Path, root: Path, files: Iterable[Path], *, base: Path | None = None) -> Path:
    """Write files into a zip that is named after its contents, and return its path.

    The name does not depend on the compression, which differs between versions of zlib.

    Parameters
    ----------
    to
        The folder of the zip.
    root
        The folder that paths in the zip are relative to.
    files
        The files to add, in any order.
    base
        A zip of this function to begin with: it is copied, so its files are not compressed again.
    """
    names = {path.relative_to(root).as_posix(): path for path in files}
    contents = hashlib.sha256(base.stem.encode() if base else b"")
    draft = to / "draft"
    if base is not None:
        shutil.copyfile(base, draft)
    with zipfile.ZipFile(draft, "a") as archive:
        for name, path in sorted(names.items()):
            entry = zipfile.ZipInfo(name)  # its time is the earliest that a zip can hold
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            content = path.read_bytes()
            archive.writestr(entry, content)
            contents.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
    return draft.rename(to / f"{contents.hexdigest()}.zip")
