"""Builds the site: the pages by MkDocs, then the API reference by Redocly."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import yaml

from infra.paths import REPOSITORY
from local.progress import Progress
from tools.docsite.hooks import DESCRIPTION, REFERENCE

PAGES: Final = REPOSITORY / "docs"
SITE: Final = REPOSITORY / "build" / "site"
_CONFIGURATION: Final = REPOSITORY / "tools" / "docsite" / "mkdocs.yml"
_REDOCLY: Final = REPOSITORY / "node_modules" / ".bin" / "redocly"
#: The logo that Redocly's script would load from its own host, and the inline text that replaces it.
_LOGO: Final = re.compile(r"https://cdn\.redoc\.ly/redoc/logo-mini(?:-full)?\.svg")
_WAY_BACK_STYLE: Final = (
    "nav.site{position:sticky;top:0;z-index:9;padding:.75rem 1rem;background:#115e59;font:1rem system-ui,sans-serif}"
    "nav.site a{margin-right:1.5rem;color:#fff}"
)
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
        name = yaml.load(_CONFIGURATION.read_text(), Loader=yaml.BaseLoader)["site_name"]  # noqa: S506 -- our own file
        _run(
            *(str(_REDOCLY), "build-docs", str(description), "--title", f"API reference - {name}"),
            *("--inlineBundle", "--output", str(reference)),
        )
        reference.write_text(_with_way_back(_self_contained(reference.read_text()), name))


def _self_contained(page: str) -> str:
    """Return the API reference with the logo from another host replaced by text."""
    page, logos = _LOGO.subn(lambda _: _LOGO_TEXT, page)
    if not logos:
        raise DocumentationError("Redocly loads its logo from another URL now; change _LOGO in tools/docsite/build.py.")
    return page.replace("</title>", '</title>\n  <link rel="icon" href="../assets/favicon.svg">', 1)


def _with_way_back(page: str, name: str) -> str:
    """Return the API reference with links to the site above it."""
    links = {"../index.html": name, "../integration.html": "Integration guide", "../api.html": "API"}
    back = "".join(f'<a href="{place}">{text}</a>' for place, text in links.items())
    page = page.replace("</head>", f"<style>{_WAY_BACK_STYLE}</style></head>", 1)
    return re.sub(
        r"<body([^>]*)>",
        lambda match: f'{match[0]}<nav class="site" aria-label="Documentation">{back}</nav>',
        page,
        count=1,
    )


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
