"""Secrets in everything that is committed or about to be: found by detect-secrets, less what `ALLOWED` explains.

Nothing is looked up elsewhere, no file is left out, and no comment in a file silences a finding.
"""

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

from tests.secret_scan.allowed import HASHES

#: What is surely no secret: references, placeholders, names of ids, text without a letter or a digit.
_HEURISTICS: Final = (
    "is_indirect_reference",
    "is_likely_id_string",
    "is_not_alphanumeric_string",
    "is_potential_uuid",
    "is_prefixed_with_dollar_sign",
    "is_sequential_string",
    "is_templated_secret",
)
_AT_ONCE: Final = 2


@dataclass(frozen=True, order=True)
class Finding:
    """Text in a file that looks like a secret.

    Attributes
    ----------
    file : str
        Its path from the root.
    line : int
        From 1.
    kind : str
        What it looks like.
    text : str
        What was found.
    """

    file: str
    line: int
    kind: str
    text: str


def files_of(root: Path) -> list[str]:
    """Return the files that git tracks or would, as paths from the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted(file for file in set(filter(None, listed.split("\0"))) if (root / file).is_file())


def findings(root: Path, files: Sequence[str]) -> list[Finding]:
    """Return what looks like a secret in some files, in their order."""
    with ProcessPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(partial(_look, root), (files[part::_AT_ONCE] for part in range(_AT_ONCE)))
        return sorted({finding for part in found for finding in part})


def _look(root: Path, files: Sequence[str]) -> list[Finding]:
    classes: dict[str, type[Any]] = get_mapping_from_secret_type_to_class()
    plugins = [{"name": plugin.__name__} for plugin in classes.values()]
    filters = [
        {"path": "detect_secrets.filters.regex.should_exclude_line", "pattern": list(HASHES)},
        *({"path": f"detect_secrets.filters.heuristic.{name}"} for name in _HEURISTICS),
    ]
    with transient_settings({"plugins_used": plugins, "filters_used": filters}):
        return list(_findings(root, files))


def _findings(root: Path, files: Sequence[str]) -> Iterator[Finding]:
    for file in files:
        for secret in scan_file(str(root / file)):
            yield Finding(file, secret.line_number, secret.type, str(secret.secret_value))
