"""The documentation site, built once for all tests and served to a browser."""

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.ports import LOOPBACK
from local.progress import Progress
from tests.support.browser import chromium, chromium_path  # noqa: F401 -- fixtures
from tools.docsite.build import build


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site; a warning of the builder fails every test that uses it."""
    folder = tmp_path_factory.mktemp("site")
    build(folder, Progress())
    return folder


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name in the base class
        """Log nothing."""


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    """Serve the site, and return its URL without a slash at the end."""
    with http.server.ThreadingHTTPServer((LOOPBACK, 0), partial(_QuietHandler, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()
        thread.join()
