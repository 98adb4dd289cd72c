"""The site from the pages: MkDocs, then the reference of the API from its description."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.paths import REPOSITORY
from local.progress import Progress
from tools.docsite.hooks import DESCRIPTION, REFERENCE

PAGES: Final = REPOSITORY / "docs"
SITE: Final = REPOSITORY / "build" / "site"
_CONFIGURATION: Final = REPOSITORY / "tools" / "docsite" / "mkdocs.yml"
_REDOCLY: Final = REPOSITORY / "node_modules" / ".bin" / "redocly"
#: In the script of the reference, and what stands there instead: text that looks as the logo's place does.
_LOGO: Final = re.compile(r"https://cdn\.redoc\.ly/redoc/logo-mini(?:-full)?\.svg")
_NAME: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='40' height='14'%3E"
    "%3Ctext y='11' font-family='sans-serif' font-size='11' fill='%23555'%3ERedoc%3C/text%3E%3C/svg%3E"
)


class DocumentationError(Exception):
    """The site cannot be built; the message says why and what to do about it."""


def build(site: Path, progress: Progress, *, pages: Path = PAGES) -> None:
    """Build the site into a folder.

    Parameters
    ----------
    site
        Where to.
    progress
        Told what is done.
    pages
        The folder of the documentation; its name is ``docs`` wherever it is.

    Raises
    ------
    DocumentationError
        A page has a fault; what the builder said is in the message.
    """
    with progress.step("build the pages"):
        _run(
            # Not --quiet: then warnings are not counted either, and nothing is strict.
            *("mkdocs", "build", "--strict", "--config-file", str(_CONFIGURATION)),
            *("--site-dir", str(site.absolute())),
            DOCS_FOLDER=str(pages.absolute()),
        )
    description = pages / DESCRIPTION
    if description.exists():
        with progress.step("build the reference of the API"):
            reference = site.absolute() / REFERENCE
            reference.parent.mkdir(parents=True, exist_ok=True)
            _run(
                *(str(_REDOCLY), "build-docs", str(description), "--title", "API reference"),
                *("--inlineBundle", "--output", str(reference)),
            )
            reference.write_text(_on_its_own(reference.read_text()))


def _on_its_own(page: str) -> str:
    """Replace what the reference would load from elsewhere, the logo of what made it, by its name."""
    page, logos = _LOGO.subn(lambda _: _NAME, page)
    if not logos:
        raise DocumentationError("The reference names its maker in another way: see tools/docsite/build.py.")
    return page.replace("</title>", '</title>\n  <link rel="icon" href="../assets/favicon.svg">', 1)


def _run(*command: str, **variables: str) -> None:
    # Beside this Python first: not every shell has the environment's folder, with MkDocs and Node, on its path.
    path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    program = shutil.which(command[0], path=path)
    if program is None:
        raise DocumentationError(f"{command[0]} is not installed here. Install it with: make setup")
    environment = os.environ | {
        "PATH": path,
        "PYTHONPATH": str(REPOSITORY),  # MkDocs loads the hooks from their file
        "NO_MKDOCS_2_WARNING": "true",  # an advertisement of another tool, once a build
        "REDOCLY_TELEMETRY": "off",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        "PYTHONWARNINGS": "error",
        **variables,
    }
    finished = subprocess.run(  # noqa: S603 -- our own commands
        [program, *command[1:]], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise DocumentationError(f"`{command[0]}` failed:\n{(finished.stdout + finished.stderr).strip()}")
