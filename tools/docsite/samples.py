"""The code that pages show, taken from the files in ``clients/`` that tests run."""

import re
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY
from tools.marked_blocks import with_blocks

CLIENTS: Final = REPOSITORY / "clients"
GUIDE: Final = REPOSITORY / "docs" / "integration.md"
_LANGUAGES: Final = {".py": "python", ".js": "javascript", ".mjs": "javascript"}
#: What a page shows of a longer file is between these comments.
_PART: Final = re.compile(
    r"^(?:#|//) -- the guide shows this part --\n\s*(.*?)\s*^(?:#|//) -- the guide ends here --$",
    re.MULTILINE | re.DOTALL,
)


def samples() -> dict[str, str]:
    """Return the code that the integration guide shows, each in its fence, by name."""
    return {
        "python_client": _fenced(CLIENTS / "mfa.py"),
        "python_session": _fenced(CLIENTS / "backend.py"),
        "node_session": _fenced(CLIENTS / "backend.mjs"),
    }


def write() -> Path:
    """Write the code into the guide, and return its path."""
    GUIDE.write_text(with_blocks(GUIDE.read_text(), "code", samples()))
    return GUIDE


def _fenced(path: Path) -> str:
    """Return the marked part of a file, or all of a file without marks."""
    text = path.read_text()
    part = _PART.search(text)
    return f"```{_LANGUAGES[path.suffix]}\n{part[1] if part else text.rstrip()}\n```"
