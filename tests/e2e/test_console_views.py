"""Every view of the console is accessible, fits narrow screens and dark mode, and has a stable picture."""

import io
from typing import Final

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from functions.setup_mfa.models import KeyUri
from functions.setup_mfa.service import qr_code_data_uri
from functions.shared.contract import DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, ErrorCode
from tests.e2e.console_page import OFF, ON, Authenticator, Canned, ConsolePage, OpenConsole
from tests.support.browser import (
    DESKTOP,
    LOOKS,
    PHONE,
    TakePicture,
    accessibility_violations,
    look,
    overflows,
    tab_through,
)

#: The secret in the pictures; it belongs to no user.
_SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_USER: Final = "demo@example.com"
_NOW: Final = "2026-01-15T10:00:00Z"
_SET_UP: Final = {
    "secret": _SECRET,
    "qrCode": qr_code_data_uri(str(KeyUri(issuer="AILifestyle", account=_USER, secret=_SECRET))),
}
_PENDING: Final = {**OFF, "state": "PENDING", "pendingExpiresAt": "2026-01-15T10:09:42Z"}
_CODES: Final = [
    f"{letters}-{digits}"
    for letters, digits in zip(
        ("KXBW", "AIFV", "TQCS", "QQSU", "LLMQ", "VVYS", "MCAP", "PDAF"),
        ("8790", "0492", "9761", "6110", "1775", "5028", "9233", "9059"),
        strict=True,
    )
]
_LOW: Final = {**ON, "backupCodesRemaining": 2, "lockedUntil": "2026-01-15T10:00:57Z"}


def _prepare(console: ConsolePage) -> None:
    """Stop the clock, and respond to an enrolment without the service."""
    console.page.clock.set_fixed_time(_NOW)
    console.can("GET", STATUS.path, Canned(200, OFF))
    console.can("POST", SETUP.path, Canned(200, _SET_UP))
    console.can("POST", VERIFY_SETUP.path, Canned(200, {"enabled": True, "backupCodes": _CODES, "enabledAt": _NOW}))


def test_every_view_is_accessible_and_fits_the_screen(open_console: OpenConsole, name: str) -> None:
    console = open_console(timezone_id="UTC")
    page = console.page
    _prepare(console)

    def check(view: str) -> None:
        for width, scheme in LOOKS:
            look(page, width, scheme)
            assert accessibility_violations(page) == [], f"{view}, {width}, {scheme}"
            assert not overflows(page), f"{view}, {width}"

    check("sign in")
    console.sign_in("")
    expect(console.error()).to_be_visible()
    check("sign in, refused")
    console.sign_in(name)
    console.heading("Two-step verification")
    check("account, off")

    console.can("GET", STATUS.path, Canned(200, _PENDING))
    console.can("POST", VERIFY_SETUP.path, Canned.error(400, ErrorCode.INVALID_CODE))
    console.button("Turn on").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    console.enter("123456")
    expect(console.error()).to_be_visible()
    check("set-up, wrong code")
    console.can("GET", STATUS.path, Canned(200, {**_PENDING, "pendingExpiresAt": _NOW}))
    console.button("Start over with a new QR code").click()
    expect(page.locator("#set-up-expired")).to_be_visible()
    check("set-up, expired")
    console.can("GET", STATUS.path, Canned(200, _PENDING))
    console.button("Cancel").click()
    expect(page.locator("#is-pending")).to_be_visible()
    check("account, pending")

    console.can("POST", VERIFY_SETUP.path, Canned(200, {"enabled": True, "backupCodes": _CODES, "enabledAt": _NOW}))
    console.button("Turn on").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    console.enter("123456")
    console.heading("Save your backup codes")
    console.button("Continue").click()
    expect(console.error()).to_be_visible()
    check("backup codes, not saved")
    console.can("GET", STATUS.path, Canned(200, _LOW))
    console.save_codes()
    expect(page.locator("#account-locked")).to_be_visible()
    check("account, on, few codes, locked")
    console.button("Create new backup codes").click()
    console.heading("Create new backup codes")
    check("new codes, locked")
    console.button("Cancel").click()

    console.button("Turn off").click()
    console.can("POST", DISABLE.path, Canned.error(500, ErrorCode.INTERNAL_ERROR))
    console.use_backup_code("ABCD-1234")
    expect(console.error()).to_be_visible()
    check("turn off, failed")
    console.can("GET", STATUS.path, Canned.error(503, ErrorCode.SERVICE_UNAVAILABLE, {"Retry-After": "2"}))
    console.button("Cancel").click()
    expect(console.error()).to_be_visible()
    check("account, not to be had")

    console.can("GET", STATUS.path, Canned(200, ON))
    console.button("Sign out").click()
    console.button("Sign in").click()
    console.heading("Enter your code")
    check("second step")
    console.can("POST", VERIFY.path, Canned.error(429, ErrorCode.TOO_MANY_ATTEMPTS))
    console.use_backup_code("ABCD-1234")
    expect(console.pause()).to_be_visible()
    check("second step, locked for good")


#: Replaces the API's URL and the response times, which differ from run to run.
_STEADY: Final = """(url) => {
  document.getElementById("api-url").textContent = url;
  document.querySelectorAll(".took").forEach((took, index) => { took.textContent = `${17 + (index * 7) % 23} ms`; });
}"""
#: The browser may draw edges in slightly different shades.
_PIXELS_OF_AN_EDGE: Final = 100
_API_URL: Final = "http://127.0.0.1:4566/_aws/execute-api/154f31d4/v1"


def test_pictures_for_the_documentation(open_console: OpenConsole, picture: TakePicture) -> None:
    """Pictures are the same in each run, so that commits contain only real changes."""
    first, second = (_pictures(open_console(timezone_id="UTC"), picture) for _ in range(2))
    for name, picture_of_first in first.items():
        assert _differing_pixels(picture_of_first, second[name]) <= _PIXELS_OF_AN_EDGE, name


def _differing_pixels(one: bytes, other: bytes) -> int:
    pixels = [np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) for content in (one, other)]
    return int((pixels[0] != pixels[1]).any(axis=2).sum()) if pixels[0].shape == pixels[1].shape else pixels[0].size


def _pictures(console: ConsolePage, picture: TakePicture) -> dict[str, bytes]:
    page = console.page
    taken = {}

    def take(name: str, height: int | None = None) -> None:
        page.evaluate(_STEADY, _API_URL)
        taken[name] = picture(page, name, height)

    _prepare(console)
    console.sign_in(_USER)
    console.heading("Two-step verification")
    console.can("GET", STATUS.path, Canned(200, _PENDING))
    console.button("Turn on").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    take("console-enrol")
    look(page, PHONE, "dark")
    take("console-narrow-dark", height=780)
    look(page, DESKTOP, "light")
    console.enter("123456")
    console.heading("Save your backup codes")
    take("console-backup-codes")

    console.can("GET", STATUS.path, Canned(200, ON))
    console.save_codes()
    expect(page.locator("#remaining")).to_have_text("8 of 8 remain")
    console.sign_in_again()
    console.can("POST", VERIFY.path, Canned.error(400, ErrorCode.INVALID_CODE))
    console.enter_all(["123456"] * 5)
    console.can("POST", VERIFY.path, Canned.error(429, ErrorCode.TOO_MANY_ATTEMPTS, {"Retry-After": "57"}))
    console.enter_all(["123456"])
    expect(console.pause()).to_contain_text("0:57")
    take("console-locked")
    return taken


def test_the_keyboard_enrols_logs_in_and_turns_off(console: ConsolePage, app: Authenticator, name: str) -> None:
    page = console.page
    page.keyboard.press("Tab")
    assert _focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    _tab_to(page, "Name or email address")
    page.keyboard.press("Control+a")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    console.heading("Two-step verification")
    assert _focused(page) == "Two-step verification"
    _tab_to(page, "Turn on")
    page.keyboard.press("Enter")
    console.scan(app)
    assert _focused(page) == "Set up two-step verification"
    _tab_to(page, "Six-digit code")
    page.keyboard.type(app.code())
    page.keyboard.press("Enter")
    console.heading("Save your backup codes")
    assert _focused(page) == "Save your backup codes"
    codes = console.codes()
    _tab_to(page, "I saved these codes where I can reach them without my phone")
    page.keyboard.press("Space")
    _tab_to(page, "Continue")
    page.keyboard.press("Space")
    console.heading("Two-step verification")
    expect(page.locator("#done")).to_have_text("Two-step verification is on.")
    expect(console.announced()).to_have_text("Two-step verification is on.")
    tab_through(page)

    _press(page, "Sign out")
    console.heading("Sign in")
    _press(page, "Sign in")
    console.heading("Enter your code")
    page.keyboard.type(app.code(steps=1))
    page.keyboard.press("Enter")
    console.heading("Two-step verification")
    _press(page, "What the proof says")
    _press(page, "Call the protected API")
    expect(page.locator("#paid")).to_contain_text("Accepted")
    tab_through(page)

    _press(page, "Turn off")
    console.heading("Turn off two-step verification")
    _press(page, "Use a backup code instead")
    tab_through(page)
    _tab_to(page, "Backup code")
    page.keyboard.type(codes[0])
    page.keyboard.press("Enter")
    expect(console.button("Turn on")).to_be_visible()


_FOCUSED: Final = """() => {
  const focused = document.activeElement;
  const label = focused.labels?.[0];
  return (label ?? focused).textContent.trim().replace(/\\s+/g, " ");
}"""


def _focused(page: Page) -> str:
    """Return the label or text of the focused element."""
    return str(page.evaluate(_FOCUSED))


def _press(page: Page, words: str) -> None:
    _tab_to(page, words)
    page.keyboard.press("Enter")


def _tab_to(page: Page, words: str) -> None:
    passed = []
    for _ in range(40):
        page.keyboard.press("Tab")
        passed.append(_focused(page))
        if passed[-1] == words:
            # The focus is visible.
            assert page.evaluate("() => getComputedStyle(document.activeElement).outline").endswith(" solid 3px")
            return
    pytest.fail(f"no way to {words!r} by tabbing: {passed}")


def test_code_inputs_offer_autofill_and_the_right_keyboard(console: ConsolePage, name: str) -> None:
    console.sign_in(name, ON)
    field = console.field()
    expect(field).to_have_attribute("autocomplete", "one-time-code")
    expect(field).to_have_attribute("inputmode", "numeric")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description("Use your authenticator app.")
    console.button("Use a backup code instead").click()
    expect(field).to_have_attribute("autocomplete", "off")
    expect(field).to_have_attribute("inputmode", "text")
    expect(field).to_have_attribute("autocapitalize", "characters")
