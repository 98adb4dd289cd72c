"""Drives the console as a user would: by what is on the screen, with an authenticator app."""

import io
import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from functions.shared.contract import EXPOSED_HEADERS, STAGE_NAME, STATUS
from tests.support.browser import Opened, OpenPage
from tests.support.http_user import HttpUser, NewUser

type OpenConsole = Callable[..., ConsolePage]

#: Responses of `GET /auth/mfa` with MFA off and on.
OFF: Final = {
    "enabled": False,
    "state": "DISABLED",
    "enabledAt": None,
    "pendingExpiresAt": None,
    "lockedUntil": None,
    "backupCodesRemaining": 0,
}
ON: Final = {
    **OFF,
    "enabled": True,
    "state": "ENABLED",
    "enabledAt": "2026-01-15T10:00:00Z",
    "backupCodesRemaining": 8,
}
#: In the errors that tests make up.
REQUEST_ID: Final = "6b1e4c1e-7c3a-4f58-9f6e-2d0a5f8c9b7e"
TIME_STEP_SECONDS: Final = 30
#: Time for a request to arrive while its code is valid.
_ON_ITS_WAY_SECONDS: Final = 3


@dataclass
class Authenticator:
    """An authenticator app, whose codes are computed by two independent programs."""

    oathtool: str
    secret: str = ""

    def scan(self, page: Page) -> str:
        """Read the QR code from a screenshot, and return the Key URI."""
        (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())).convert("L"))
        key = pyotp.parse_uri(found.text)
        assert isinstance(key, pyotp.TOTP)
        self.secret = key.secret
        return found.text

    def code(self, *, steps: int = 0) -> str:
        """Return the code of a time step, counted from now, once that step lasts long enough for a request."""
        left = TIME_STEP_SECONDS - time.time() % TIME_STEP_SECONDS
        if left < _ON_ITS_WAY_SECONDS:
            time.sleep(left)
        at = int(time.time()) + TIME_STEP_SECONDS * steps
        command = [self.oathtool, "--totp", "--base32", f"--now=@{at}", self.secret]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert shown == pyotp.TOTP(self.secret).at(at)
        return shown

    def wrong_codes(self, count: int) -> list[str]:
        """Return codes that belong to no time step near now."""
        near = {self.code(steps=steps) for steps in range(-3, 4)}
        # Not 000000, which the search for leaks would find everywhere.
        return [code for number in range(1, 20) if (code := f"{number * 271_828 % 10**6:06}") not in near][:count]


@dataclass
class Canned:
    """A made-up response."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def error(cls, status: int, code: str, headers: Mapping[str, str] | None = None) -> "Canned":
        """Return an error of the API."""
        body = {"error": code, "message": "of the test", "request_id": REQUEST_ID, "timestamp": "2026-01-15T10:00:00Z"}
        return cls(status, body, headers or {})

    def fulfil(self, route: Route, origin: str) -> None:
        """Respond to a request, with the CORS headers that the page needs."""
        shared = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED_HEADERS}
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        route.fulfill(status=self.status, headers={**shared, **self.headers}, body=body)


class ConsolePage:
    """The page for enrolment, login and lock-out."""

    def __init__(self, opened: Opened) -> None:
        self.page = opened.page
        self.watched = opened.watched

    # -- parts of the page ----------------------------------------------------------------------------------------

    def heading(self, name: str) -> None:
        """Wait for the view with a heading."""
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()
        expect(self.page).to_have_title(f"{name} \N{EN DASH} MFA console")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self) -> Locator:
        """Return the visible input for a code."""
        return self.page.locator("input.code:visible")

    def error(self) -> Locator:
        """Return the visible error message."""
        return self.page.locator("[role=alert]:visible:not(:empty)")

    def pause(self) -> Locator:
        """Return the message that is shown during a lock or a pause."""
        return self.page.locator(".pause:visible")

    def announced(self) -> Locator:
        """Return the last announcement for screen readers."""
        return self.page.locator("#announcer")

    def codes(self) -> list[str]:
        return self.page.locator("#codes li").all_inner_texts()

    # -- actions of the user --------------------------------------------------------------------------------------

    def sign_in(self, user: str, status: Mapping[str, Any] | None = None) -> None:
        """Sign in; if a status is given, the API's is made up."""
        if status is not None:
            self.can("GET", STATUS.path, Canned(200, status))
        self.page.get_by_label("Name or email address").fill(user)
        self.button("Sign in").click()

    def sign_in_again(self) -> None:
        """Sign out, and enter the same user's name again."""
        self.button("Sign out").click()
        self.button("Sign in").click()
        self.heading("Enter your code")

    def enter(self, code: str) -> None:
        """Type a code key by key and submit it."""
        self.field().fill("")
        self.field().press_sequentially(code)
        self.field().press("Enter")

    def enter_all(self, codes: list[str]) -> None:
        """Enter codes one after the other, waiting for each response."""
        for code in codes:
            with self.page.expect_response(lambda response: response.request.method == "POST"):
                self.enter(code)
            expect(self.page.locator("form[aria-busy=true]")).to_have_count(0)

    def use_backup_code(self, code: str) -> None:
        self.button("Use a backup code instead").click()
        self.enter(code)

    def save_codes(self) -> list[str]:
        """Confirm that the backup codes are saved, and return them."""
        self.heading("Save your backup codes")
        codes = self.codes()
        self.page.get_by_label("I saved these codes").check()
        self.button("Continue").click()
        self.heading("Two-step verification")
        return codes

    def scan(self, app: Authenticator, *, old: str = "") -> str:
        """Scan the QR code once it differs from that of an old secret, and return the Key URI."""
        self.heading("Set up two-step verification")
        expect(self.page.locator("#secret")).to_have_text(
            re.compile("^(?!" + re.escape(grouped(old)) + "$)[A-Z2-7 ]{39}$")
        )
        expect(self.page.get_by_alt_text("QR code")).to_be_visible()
        uri = app.scan(self.page)
        expect(self.page.locator("#secret")).to_have_text(grouped(app.secret))
        return uri

    def enrol(self, app: Authenticator) -> list[str]:
        """Turn MFA on with the previous step's code, which leaves the present one for a login; return backup codes."""
        self.button("Turn on").click()
        self.scan(app)
        self.enter(app.code(steps=-1))
        return self.save_codes()

    # -- responses of the API -------------------------------------------------------------------------------------

    def can(self, method: str, path: str, answer: Canned) -> None:
        """From now on, respond to a request with a made-up response; a later call replaces an earlier one."""
        self.page.route(
            _of(path),
            lambda route: answer.fulfil(route, self.origin) if route.request.method == method else route.fallback(),
        )

    def ask_again(self, path: str) -> None:
        """From now on, let the API respond again."""
        self.page.unroute(_of(path))

    @property
    def origin(self) -> str:
        return str(self.page.evaluate("() => location.origin"))


def grouped(secret: str) -> str:
    """Return a secret in groups of four, as the page shows it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _of(path: str) -> str:
    return f"**/{STAGE_NAME}{path}"


@pytest.fixture
def app(oathtool: str) -> Authenticator:
    """Return an authenticator app without a secret."""
    return Authenticator(oathtool)


@pytest.fixture
def open_console(open_page: OpenPage) -> OpenConsole:
    """Return a function that opens the console in a new window; it takes the arguments of `open_page`."""
    return lambda **options: ConsolePage(open_page(**options))


@pytest.fixture
def console(open_console: OpenConsole) -> ConsolePage:
    """Return the console in a desktop window, before signing in."""
    return open_console()


@pytest.fixture
def name(request: pytest.FixtureRequest, new_user: NewUser) -> str:
    """Return the name of a user for this test, with nothing stored."""
    name = f"console-{re.sub('[^a-z]+', '-', request.node.name)[5:40].strip('-')}@example.com"
    new_user(name)
    return name


@pytest.fixture
def person(new_user: NewUser, name: str) -> HttpUser:
    """Return the user of that name, as a caller of the API."""
    return new_user(name)


@pytest.fixture
def enrolled(person: HttpUser, app: Authenticator) -> HttpUser:
    """Return the user of that name with MFA on; the app has the key, and its present code is not used yet."""
    person.enrol()
    app.secret = person.secret
    return person
