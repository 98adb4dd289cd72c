"""Chromium, driven by Playwright; pages must cause no errors and call no other hosts."""

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

from infra.paths import REPOSITORY
from local import ports
from local.stack import Stack
from tests.support.leaks import OVER_HTTP, Ledger

if TYPE_CHECKING:
    from pathlib import Path

type ColorScheme = Literal["light", "dark"]

#: Long enough for a busy machine and cold starts.
PATIENCE_MILLISECONDS: Final = 30_000
DESKTOP: Final = 1280
PHONE: Final = 360
#: Every width and colour scheme that pages are checked in.
LOOKS: Final[tuple[tuple[int, ColorScheme], ...]] = (
    (DESKTOP, "light"),
    (DESKTOP, "dark"),
    (PHONE, "light"),
    (PHONE, "dark"),
)
#: The size limit of a picture in the documentation.
PICTURE_BYTES: Final = 200_000
_AXE: Final = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # the gate runs as root, and the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {ports.LOOPBACK}",
)
#: The browser's message for error responses and failed requests, which tests cause on purpose.
_FAILED_REQUEST: Final = "Failed to load resource"


@dataclass
class Watched:
    """The console messages, errors and requests of a page."""

    console: list[ConsoleMessage] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    answered: list[tuple[Request, Response, str]] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Start to record a page."""
        page.on("console", lambda message: self.console.append(message))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.urls.append(request.url))
        page.on("requestfinished", self._read)

    def hosts(self) -> set[str | None]:
        """Return the hosts of all requests; ``data:`` and ``blob:`` URLs have none."""
        return {urlsplit(url).hostname for url in self.urls if urlsplit(url).scheme not in {"data", "blob"}}

    def complaints(self) -> list[str]:
        """Return uncaught errors and console warnings, such as violations of the content security policy."""
        messages = [
            f"{message.type}: {message.text}" for message in self.console if message.type in {"error", "warning"}
        ]
        return self.errors + [line for line in messages if _FAILED_REQUEST not in line]

    def write_down(self, ledger: Ledger, api_url: str) -> None:
        """Record the page's tokens, secrets, codes and responses in a ledger."""
        for request, response, text in self.answered:
            if request.url.endswith("/session") and response.ok:
                ledger.add_token(json.loads(text)["accessToken"])
            elif request.url.startswith(api_url):
                ledger.add_request(request.post_data)
                path = request.url.removeprefix(api_url)
                ledger.add_answer(f"{request.method} {path}", response.status, response.headers, text)

    def _read(self, request: Request) -> None:
        # Read at once: the browser drops responses when it leaves the page.
        if request.resource_type == "fetch" and (response := request.response()) is not None:
            self.answered.append((request, response, response.text()))


@dataclass(frozen=True)
class Opened:
    """A page in a new browser context."""

    page: Page
    watched: Watched


type OpenPage = Callable[..., Opened]
type TakePicture = Callable[..., bytes]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of a Chromium; required in CI. The headless shell needs half of the CPU time."""
    for name in ("chromium-headless-shell", "chromium", "google-chrome"):
        if path := shutil.which(name):
            return path
    message = "Chromium is not installed (Debian package chromium-headless-shell)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


# Module scope, because no other test can run an event loop while Playwright runs.
@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """Start a browser with a new profile."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, stack: Stack) -> Iterator[OpenPage]:
    """Return a function that opens the console; pages are closed and checked when the test ends."""
    opened: list[Opened] = []

    def open_(path: str = "/", *, width: int = DESKTOP, color_scheme: ColorScheme = "light", **options: Any) -> Opened:
        context = chromium.new_context(
            base_url=stack.console_url,
            viewport={"width": width, "height": 800},
            color_scheme=color_scheme,
            service_workers="block",
            permissions=["clipboard-read", "clipboard-write"],
            **options,
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        one = Opened(context.new_page(), Watched())
        one.watched.attach(one.page)
        opened.append(one)
        one.page.goto(path)
        return one

    yield open_
    for each in opened:
        each.watched.write_down(OVER_HTTP, stack.api_url)
        each.page.unroute_all(behavior="ignoreErrors")  # a request may still be on its way to a route of the test
        each.page.context.close()
    for each in opened:
        assert each.watched.hosts() <= {ports.LOOPBACK}
        assert each.watched.complaints() == []


@pytest.fixture
def picture(pytestconfig: pytest.Config) -> TakePicture:
    """Return a function that takes a picture of a page for the documentation: ``picture(page, "console-enrol")``.

    The picture is written to the folder of ``--screenshots``. It is also taken without that option, so that tests can
    check its size, and that it is the same in each run. ``height`` cuts a long page off, in pixels.
    """
    folder: Path | None = pytestconfig.getoption("--screenshots", None)

    def take(page: Page, name: str, height: int | None = None) -> bytes:
        # Without a caret or a pointer.
        page.mouse.move(0, 0)
        whole = Image.open(io.BytesIO(page.screenshot(full_page=True, caret="hide", animations="disabled")))
        shot = whole.crop((0, 0, whole.width, min(whole.height, height or whole.height)))
        content = io.BytesIO()
        # 256 colours are enough for flat areas, and reduce the size to a third.
        shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
        assert content.tell() <= PICTURE_BYTES, f"{name} has {content.tell()} bytes"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.png").write_bytes(content.getvalue())
        return content.getvalue()

    return take


def accessibility_violations(page: Page) -> list[str]:
    """Return the accessibility violations that axe finds in a page: the rule and the elements, one line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text())
    found: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'], preload: false })")
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'] for node in violation['nodes']]}"
        for violation in found["violations"]
    ]


def tab_through(page: Page, limit: int = 300) -> None:
    """Press Tab until the focus leaves the page; each control must be reached, with a visible focus.

    Of radio buttons the chosen one is reached; the arrow keys choose another. Swagger UI's arrows repeat the button
    beside them.
    """
    # The first round begins where the focus is, the second at the start of the page.
    for _ in range(2):
        for _ in range(limit):
            page.keyboard.press("Tab")
            stop: dict[str, Any] | None = page.evaluate(_STOP)
            if stop is None:
                break
            assert stop["visible"], f"the focus is not visible: {stop['html']}"
        else:
            pytest.fail(f"the focus does not leave the page after {limit} stops")
    assert page.evaluate(_UNREACHED) == []


_STOP: Final = """() => {
  const focused = document.activeElement;
  if (focused === document.body) return null;
  focused.reached = true;
  const outlined = (each) => each && getComputedStyle(each).outlineStyle === "solid";
  const visible = outlined(focused) || outlined(focused.closest("label"));
  return { visible, html: focused.outerHTML.slice(0, 200) };
}"""
_UNREACHED: Final = """() => [
    ...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")
  ]
  .filter((each) => !each.reached && each.checkVisibility())
  .filter((each) => !(each.type === "radio" && !each.checked) && !each.matches(".opblock-control-arrow"))
  .map((each) => each.outerHTML.slice(0, 200))"""


def look(page: Page, width: int, scheme: ColorScheme) -> None:
    """Set the width of the window and the colour scheme."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)


def overflows(page: Page) -> bool:
    """Return whether a page is wider than its window."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))
