"""Builds the site: the pages by MkDocs, then the API reference by Redocly."""

import json
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
_REFERENCE_TEMPLATE: Final = REPOSITORY / "tools" / "docsite" / "reference.hbs"
#: The logo that Redocly's script would load from its own host, and the inline text that replaces it.
_LOGO: Final = re.compile(r"https://cdn\.redoc\.ly/redoc/logo-mini(?:-full)?\.svg")
_LOGO_TEXT: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='40' height='14'%3E"
    "%3Ctext y='11' font-family='sans-serif' font-size='11' fill='%23555'%3ERedoc%3C/text%3E%3C/svg%3E"
)


class DocumentationError(Exception):
    """The site cannot be built; the message says why and what to do."""


def build(site: Path, progress: Progress, *, pages: Path = PAGES) -> None:
    """Build the site into a folder.

    Parameters
    ----------
    site
        The output folder.
    progress
        Reports the steps.
    pages
        The folder of the documentation. Its name must be ``docs``.

    Raises
    ------
    DocumentationError
        A page has an error; the message contains the builder's output.
    """
    with progress.step("build the pages"):
        _run(
            # Not --quiet: it drops the warnings that --strict counts.
            *("mkdocs", "build", "--strict", "--config-file", str(_CONFIGURATION)),
            *("--site-dir", str(site.absolute())),
            DOCS_FOLDER=str(pages.absolute()),
        )
    with progress.step("build the reference of the API"):
        reference = site.absolute() / REFERENCE
        reference.parent.mkdir(parents=True, exist_ok=True)
        # The one of the site: its links lead to the pages as the site has them.
        description = site.absolute() / DESCRIPTION
        content = json.loads((pages / DESCRIPTION).read_text())
        content["externalDocs"]["url"] = "../" + content["externalDocs"]["url"].replace(".md", ".html")
        description.write_text(json.dumps(content, ensure_ascii=False))
        _run(
            *(str(_REDOCLY), "build-docs", str(description), "--template", str(_REFERENCE_TEMPLATE)),
            *("--inlineBundle", "--output", str(reference)),
        )
        page, logos = _LOGO.subn(_LOGO_TEXT, reference.read_text())
        if not logos:
            raise DocumentationError("Redocly has its logo elsewhere now; change _LOGO in tools/docsite/build.py.")
        reference.write_text(page)


def _run(*command: str, **variables: str) -> None:
    # First the folder of this Python: MkDocs and Node are there, and a shell may not have it on its path.
    path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    program = shutil.which(command[0], path=path)
    if program is None:
        raise DocumentationError(f"{command[0]} is not installed here. Install it with: make setup")
    environment = os.environ | {
        "PATH": path,
        "PYTHONPATH": str(REPOSITORY),  # MkDocs loads the hooks from their file
        "NO_MKDOCS_2_WARNING": "true",  # an advertisement in every build
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
