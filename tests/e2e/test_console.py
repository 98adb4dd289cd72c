"""The console in a real browser, from enrolment to turning MFA off."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from functions.setup_mfa.service import PIXELS_PER_MODULE
from functions.shared.contract import DISABLE, SETUP, STATUS, VERIFY, ErrorCode
from local.stack import Stack
from tests.e2e.console_page import (
    OFF,
    ON,
    REQUEST_ID,
    Authenticator,
    Canned,
    ConsolePage,
    OpenConsole,
    grouped,
)
from tests.support.browser import LOOKS, PHONE, look, overflows
from tests.support.http_user import HttpUser, NewUser
from tests.support.leaks import Kind, Ledger, Search
from tests.support.stack import Aws

_FOREVER: Final = "9999-12-31T23:59:59Z"


# -- the life cycle -------------------------------------------------------------------------------------------------


def test_enrol_log_in_replace_backup_codes_and_turn_off(
    console: ConsolePage, app: Authenticator, person: HttpUser, name: str, tmp_path: Path
) -> None:
    page = console.page
    console.sign_in(name)
    console.heading("Two-step verification")
    expect(page.locator("#account-status")).to_contain_text("Off This account is protected only by a password.")

    console.button("Turn on").click()
    _check_key_uri(console.scan(app), name)
    console.button("Copy key").click()
    expect(console.button("Copied")).to_be_visible()
    assert _clipboard(page) == app.secret

    [wrong] = app.wrong_codes(1)
    console.enter(wrong)
    expect(console.error()).to_contain_text("That code is wrong or was already used.")
    expect(page.locator("#secret")).to_have_text(grouped(app.secret))  # unchanged by a wrong code
    code = app.code(steps=-1)
    console.enter(f"{code[:3]} {code[3:]}")

    console.heading("Save your backup codes")
    codes = console.codes()
    assert len(set(codes)) == 8
    assert all(re.fullmatch(r"[A-Z]{4}-[0-9]{4}", each) for each in codes)
    _check_ways_to_save(console, codes, name, tmp_path)
    console.button("Continue").click()
    expect(console.error()).to_have_text("Confirm that you saved your codes. They are shown only now.")
    console.save_codes()
    expect(page.locator("#done")).to_have_text("Two-step verification is on.")
    expect(page.locator("#remaining")).to_have_text("8 of 8 remain")

    console.sign_in_again()
    code = app.code()
    _paste(console, f" {code[:3]} {code[3:]}\n")
    expect(page.locator("#done")).to_have_text("Signed in.")

    console.sign_in_again()
    console.use_backup_code(codes[0].lower().replace("-", " "))
    expect(page.locator("#done")).to_contain_text("7 of 8 remain")

    console.button("Create new backup codes").click()
    console.heading("Create new backup codes")
    console.enter(app.code(steps=1))
    new = console.save_codes()
    assert set(new).isdisjoint(codes)
    expect(page.locator("#remaining")).to_have_text("8 of 8 remain")

    console.sign_in_again()
    console.use_backup_code(codes[1])
    expect(console.error()).to_contain_text("Enter another one")
    console.enter(new[0].replace("-", " \N{EN DASH} "))  # an en dash, from a word processor
    expect(page.locator("#done")).to_contain_text("7 of 8 remain")

    console.button("Turn off").click()
    console.heading("Turn off two-step verification")
    console.use_backup_code(new[1])
    expect(page.locator("#done")).to_have_text(
        "Two-step verification is off. Remove its entry from your authenticator app."
    )
    expect(console.button("Turn on")).to_be_visible()
    assert person.item() == {}


def _check_key_uri(uri: str, name: str) -> None:
    parts = urlsplit(uri)
    # Cognito's access tokens have no e-mail address, and the pool refuses one as a user's name.
    label = name.replace("@", "-at-")
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == ("otpauth", "totp", f"/AILifestyle:{label}")
    assert parse_qs(parts.query)["issuer"] == ["AILifestyle"]


def _check_ways_to_save(console: ConsolePage, codes: list[str], name: str, tmp_path: Path) -> None:
    page = console.page
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(console.button("Copied")).to_be_visible()
    assert _clipboard(page).split() == codes

    with page.expect_download() as download:
        console.button("Download").click()
    assert download.value.suggested_filename == "mfa-backup-codes.txt"
    file = tmp_path / "codes.txt"
    download.value.save_as(file)
    lines = file.read_text().splitlines()
    assert lines[0].startswith(f"Backup codes of {name}, created on ")
    assert lines[-8:] == codes

    page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    console.button("Print").click()
    assert page.evaluate("() => window.printed")
    page.emulate_media(media="print", color_scheme="dark")
    printed = page.locator("body").inner_text()
    assert all(code in printed for code in codes)
    assert name in printed
    assert not any(page.get_by_role(role).all() for role in ("button", "navigation", "heading", "checkbox"))
    colours = "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    page.emulate_media(media="screen", color_scheme="light")


def _clipboard(page: Page) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def _paste(console: ConsolePage, text: str) -> None:
    console.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    console.field().fill("")
    console.field().press("Control+v")
    console.field().press("Enter")


@pytest.mark.parametrize("user", ["scan@example.com", "%" * 64 + "@example.com"], ids=["short", "long"])
def test_a_phone_can_scan_the_screen_or_open_its_own_app(
    open_console: OpenConsole, new_user: NewUser, app: Authenticator, user: str
) -> None:
    new_user(user)
    console = open_console(width=PHONE)
    page = console.page
    console.sign_in(user)
    console.button("Turn on").click()
    code = page.get_by_alt_text("QR code")
    link = page.get_by_role("link", name="Open in an authenticator app on this device")
    for width, scheme in LOOKS:
        look(page, width, scheme)
        code.scroll_into_view_if_needed()
        uri = console.scan(app)
        _check_key_uri(uri, user)
        # Whole pixels for each module: cameras misread uneven ones.
        shown, natural = code.evaluate("(image) => [image.clientWidth, image.naturalWidth]")
        assert shown % (natural / PIXELS_PER_MODULE) == 0
        assert not overflows(page)
        # A phone cannot scan its own screen.
        expect(link).to_have_count(int(width == PHONE))
    expect(link).to_have_attribute("href", uri)
    console.button("Cancel").click()
    expect(page.locator("#open-app")).not_to_have_attribute("href", re.compile("."))


# -- locks ----------------------------------------------------------------------------------------------------------


def test_the_code_that_locks_starts_a_countdown_while_backup_codes_still_work(
    console: ConsolePage, app: Authenticator, enrolled: HttpUser, name: str
) -> None:
    page = console.page
    page.clock.install()
    console.sign_in(name)
    console.heading("Enter your code")
    *wrong, last = app.wrong_codes(5)
    for code in wrong:
        console.enter_all([code])
        expect(console.pause()).to_have_count(0)
    console.enter(last)
    expect(console.pause()).to_have_text(
        re.compile(r"^Too many attempts\. Try again in [01]:\d\d, or use a backup code$")
    )
    expect(console.announced()).to_have_text(re.compile(r"Try again in (1 minute|5\d seconds), or use a backup code\."))
    expect(console.button("Continue")).to_have_attribute("aria-disabled", "true")
    console.field().press("Enter")
    sent = page.locator("#calls .path").all_inner_texts().count(f"POST {VERIFY.path}")
    assert sent == 5, "nothing is sent while it is locked"

    console.use_backup_code(enrolled.backup_codes[0])
    console.heading("Two-step verification")
    expect(page.locator("#account-locked")).to_contain_text("Try your authenticator app again in 0:")
    console.sign_in_again()
    expect(console.pause()).to_contain_text("Try again in 0:")

    page.clock.fast_forward(25_000)
    expect(console.pause()).to_contain_text(re.compile("in 0:[123]"))
    page.clock.fast_forward(40_000)
    expect(console.pause()).to_have_count(0)
    expect(console.announced()).to_have_text("You can try again now.")
    # A minute passes for the service too.
    enrolled.set(last_failed_at={"S": "2026-01-15T10:00:00Z"})
    console.enter(app.code())
    expect(page.locator("#done")).to_have_text(
        re.compile(r"^Signed in\. Before that, 5 codes were refused, last on .*2026.*\. If that was not you, change")
    )


def test_a_permanent_lock_shows_no_countdown(console: ConsolePage, name: str) -> None:
    console.can("POST", VERIFY.path, Canned.error(429, ErrorCode.TOO_MANY_ATTEMPTS))
    console.sign_in(name, ON | {"lockedUntil": _FOREVER})
    expect(console.pause()).to_have_text(
        "Too many attempts. Contact support to unlock your authenticator app, or use a backup code"
    )
    console.use_backup_code("ABCD-1234")
    expect(console.pause()).to_have_text(
        "Too many attempts. Contact support to unlock your backup codes, or use your authenticator app"
    )


# -- errors ---------------------------------------------------------------------------------------------------------

#: For each error: how the message at login begins, and the button that it offers.
_MESSAGES: Final[dict[str, tuple[str, str | None]]] = {
    ErrorCode.VALIDATION_ERROR: ("That is not a valid code.", None),
    ErrorCode.INVALID_CODE: ("That code is wrong or was already used.", None),
    ErrorCode.UNAUTHORIZED: ("Your session has ended.", None),
    ErrorCode.INSUFFICIENT_SCOPE: ("This sign-in cannot change two-step verification.", "Sign in again"),
    ErrorCode.MFA_SETUP_NOT_FOUND: ("This setup is no longer valid.", "Start over"),
    ErrorCode.MFA_ALREADY_ENABLED: ("Two-step verification is already on.", "Show my account"),
    ErrorCode.MFA_NOT_ENABLED: ("Two-step verification is off.", "Show my account"),
    ErrorCode.CONFLICT: ("Another request was in progress.", None),
    ErrorCode.MFA_SETUP_EXPIRED: ("This setup has expired.", "Start over"),
    ErrorCode.TOO_MANY_ATTEMPTS: ("Too many attempts.", None),
    ErrorCode.SERVICE_UNAVAILABLE: ("The service is temporarily unavailable.", None),
    ErrorCode.INTERNAL_ERROR: ("Something went wrong on our side.", None),
    ErrorCode.FORBIDDEN: ("The request was blocked.", None),
    ErrorCode.NOT_FOUND: ("The service does not support this request.", None),
    ErrorCode.PAYLOAD_TOO_LARGE: ("That is too long.", None),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: ("The service does not support this type of request.", None),
    "A_CODE_OF_A_LATER_VERSION": ("Something went wrong on our side.", None),
}
#: These messages need no request id: they say what to type, or how long to wait.
_WITHOUT_REQUEST_ID: Final = {ErrorCode.VALIDATION_ERROR, ErrorCode.INVALID_CODE, ErrorCode.TOO_MANY_ATTEMPTS}


def test_every_error_of_the_api_has_a_message_and_a_way_on(console: ConsolePage, name: str) -> None:
    assert set(_MESSAGES) >= set(ErrorCode)
    page = console.page
    page.clock.install()
    console.sign_in(name, ON)
    waits: dict[str, str] = {ErrorCode.TOO_MANY_ATTEMPTS: "40", ErrorCode.SERVICE_UNAVAILABLE: "40"}
    # UNAUTHORIZED comes last: it ends the session.
    for code in sorted(_MESSAGES, key=lambda each: each == ErrorCode.UNAUTHORIZED):
        title, offer = _MESSAGES[code]
        wait = waits.get(code)
        console.can("POST", VERIFY.path, Canned.error(400, code, {"Retry-After": wait} if wait else {}))
        console.enter("123456")
        message = console.pause() if code == ErrorCode.TOO_MANY_ATTEMPTS else console.error()
        expect(message).to_contain_text(title)
        if code not in _WITHOUT_REQUEST_ID:
            expect(message).to_contain_text(f"Request ID: {REQUEST_ID}")
        buttons = message.get_by_role("button")
        expect(buttons).to_have_text([offer] if offer else [])
        if wait:
            page.clock.fast_forward(41_000)
            expect(console.pause()).to_have_count(0)
    console.heading("Sign in")
    expect(page.get_by_label("Name or email address")).to_have_value(name)


def test_unexpected_responses_are_explained(console: ConsolePage, name: str) -> None:
    console.sign_in(name, ON)

    def check(title: str) -> None:
        expect(console.error()).to_contain_text(title)
        # The code may have been used: the page does not offer to send it again.
        expect(console.error()).to_contain_text("nter your next code.")
        expect(console.error().get_by_role("button")).to_have_count(0)

    for answer in (Canned(502, "<html>Bad Gateway</html>"), Canned(200, "null"), Canned(500, "[]")):
        console.can("POST", VERIFY.path, answer)
        console.enter_all(["123456"])
        check("The response is not valid.")
    console.page.route(f"**{VERIFY.path}", lambda route: route.abort("connectionrefused"))
    console.enter("123456")
    check("The service cannot be reached.")


def test_a_missing_response_has_a_message(console: ConsolePage, name: str) -> None:
    page = console.page
    console.sign_in(name, ON)
    page.evaluate("() => { delete AbortSignal.timeout; }")  # as in a browser that does not have it
    page.clock.install()
    page.route(f"**{VERIFY.path}", lambda _: None)
    console.enter("123456")
    expect(page.locator("form[aria-busy=true]")).to_have_count(1)
    page.clock.fast_forward(31_000)
    expect(console.error()).to_contain_text("The service did not respond in time.")
    page.unroute_all(behavior="ignoreErrors")


def test_a_lock_applies_to_the_kind_of_code_that_was_sent(console: ConsolePage, name: str) -> None:
    console.sign_in(name, ON)
    asked: list[Route] = []
    console.page.route(f"**{VERIFY.path}", lambda route: asked.append(route))
    with console.page.expect_request(f"**{VERIFY.path}"):
        console.enter("123456")
    console.button("Use a backup code instead").click()
    Canned.error(429, ErrorCode.TOO_MANY_ATTEMPTS, {"Retry-After": "40"}).fulfil(asked[0], console.origin)
    expect(console.page.locator("form[aria-busy=true]")).to_have_count(0)
    expect(console.pause()).to_have_count(0)
    console.button("Use your authenticator app").click()
    expect(console.pause()).to_contain_text("Try again in")


def test_an_error_disappears_when_the_user_signs_out(console: ConsolePage, name: str) -> None:
    console.sign_in(name, OFF)
    console.can("POST", SETUP.path, Canned.error(500, ErrorCode.INTERNAL_ERROR))
    console.button("Turn on").click()
    expect(console.error()).to_contain_text("Something went wrong on our side.")
    console.button("Sign out").click()
    console.button("Sign in").click()
    console.heading("Two-step verification")
    expect(console.error()).to_have_count(0)


def test_a_login_that_is_too_old_leads_to_a_new_one(console: ConsolePage, name: str) -> None:
    challenge = 'Bearer error="insufficient_user_authentication", max_age="300"'
    console.sign_in(name, OFF)
    console.can("POST", SETUP.path, Canned.error(401, ErrorCode.UNAUTHORIZED, {"WWW-Authenticate": challenge}))
    console.button("Turn on").click()
    console.heading("Sign in")
    expect(console.error()).to_contain_text("Sign in again to change two-step verification.")
    expect(console.page.get_by_label("Name or email address")).to_have_value(name)


def test_a_failed_setup_can_be_retried_after_the_wait(console: ConsolePage, name: str) -> None:
    page = console.page
    page.clock.install()
    console.sign_in(name, OFF)
    console.can("POST", SETUP.path, Canned.error(503, ErrorCode.SERVICE_UNAVAILABLE, {"Retry-After": "20"}))
    console.button("Turn on").click()
    again = console.error().get_by_role("button")
    expect(again).to_have_text(re.compile(r"Try again in 0:(20|1\d)"))
    expect(again).to_have_attribute("aria-disabled", "true")
    page.clock.fast_forward(21_000)
    expect(again).to_have_text("Try again")
    console.ask_again(SETUP.path)
    console.ask_again(STATUS.path)
    again.click()
    console.heading("Set up two-step verification")


def test_a_failed_sign_in_can_be_retried(console: ConsolePage, name: str, stack: Stack) -> None:
    page = console.page
    unavailable = re.compile("/(session|config.json)$")
    page.route(unavailable, lambda route: route.abort("connectionrefused"))
    page.reload()
    expect(page.locator("#api-url")).to_have_text("not available yet")
    console.sign_in(name)
    expect(console.error()).to_contain_text("The service cannot be reached. Check your connection, then try again.")
    expect(console.error()).not_to_contain_text("next code")
    expect(console.error().get_by_role("button")).to_have_count(0)  # the form has it
    page.unroute(unavailable)
    console.button("Sign in").click()
    console.heading("Two-step verification")
    expect(page.locator("#api-url")).to_have_text(stack.api_url)


def test_an_invalid_name_is_refused_beside_its_field(console: ConsolePage) -> None:
    for name in ("", "ann lee", "a" * 129):
        console.sign_in(name)
        expect(console.error()).to_have_text("Enter a name or an email address without spaces.")
        expect(console.page.get_by_label("Name or email address")).to_be_focused()
        expect(console.page.get_by_label("Name or email address")).to_have_attribute("aria-invalid", "true")


def test_malformed_codes_are_not_sent(console: ConsolePage, name: str) -> None:
    console.sign_in(name, ON)
    for typed in ("", "12345", "1234567", "12345a", "一二三四五六"):
        console.enter(typed)
        expect(console.error()).to_have_text("Enter the six digits from your app.")
        expect(console.field()).to_be_focused()
    console.button("Use a backup code instead").click()
    for typed in ("123456", "ABC-1234", "1234-ABCD"):
        console.enter(typed)
        expect(console.error()).to_have_text("Enter four letters and four digits, such as ABCD-1234.")
    assert not any(url.endswith(VERIFY.path) for url in console.watched.urls)
    console.can("POST", VERIFY.path, Canned(200, {"verified": True, "method": "totp", "backupCodesRemaining": 8}))
    console.button("Use your authenticator app").click()
    with console.page.expect_request(f"**{VERIFY.path}") as sent:
        console.enter("１２３ ４５６")  # noqa: RUF001 -- an input method's wide digits
    assert sent.value.post_data_json == {"code": "123456"}


class TestStalePage:
    """The account changes while the page shows an older state."""

    def test_mfa_was_turned_on(self, console: ConsolePage, person: HttpUser, name: str) -> None:
        console.sign_in(name)
        console.heading("Two-step verification")
        person.enrol()
        console.button("Turn on").click()
        expect(console.error()).to_contain_text("Two-step verification is already on.")
        console.button("Show my account").click()
        expect(console.page.locator("#remaining")).to_have_text("8 of 8 remain")

    def test_mfa_was_turned_off(self, console: ConsolePage, enrolled: HttpUser, name: str) -> None:
        console.sign_in(name)
        console.use_backup_code(enrolled.backup_codes[0])
        console.button("Turn off").click()
        enrolled.forget()
        console.enter("123456")
        expect(console.error()).to_contain_text("Two-step verification is off.")
        console.button("Show my account").click()
        expect(console.button("Turn on")).to_be_visible()

    def test_the_enrolment_was_discarded_or_expired(
        self, console: ConsolePage, app: Authenticator, person: HttpUser, name: str
    ) -> None:
        console.sign_in(name)
        console.button("Turn on").click()
        console.scan(app)
        person.forget()
        console.enter(app.code())
        expect(console.error()).to_contain_text("This setup is no longer valid.")
        console.button("Start over").click()
        console.scan(app, old=app.secret)

        person.set(expires_at={"N": "1"})
        console.enter(app.code())
        expect(console.error()).to_contain_text("This setup has expired.")
        console.button("Start over").click()
        console.scan(app, old=app.secret)
        console.enter(app.code())
        console.heading("Save your backup codes")

    def test_the_session_ended(self, console: ConsolePage, enrolled: HttpUser, name: str) -> None:
        page = console.page
        console.sign_in(name)
        console.use_backup_code(enrolled.backup_codes[0])
        console.button("Turn off").click()
        page.route(
            f"**{DISABLE.path}",
            lambda route: route.continue_(headers={**route.request.headers, "authorization": "Bearer of.bad.news"}),
        )
        console.enter("123456")
        console.heading("Sign in")
        expect(console.error()).to_contain_text("Your session has ended.")
        expect(page.get_by_label("Name or email address")).to_have_value(name)

    def test_the_key_is_unavailable(
        self, console: ConsolePage, app: Authenticator, enrolled: HttpUser, name: str, stack: Stack, aws: Aws
    ) -> None:
        console.sign_in(name)
        console.use_backup_code(enrolled.backup_codes[0])
        console.button("Create new backup codes").click()
        kms = aws.client("kms")
        kms.disable_key(KeyId=stack.key_arn)
        try:
            console.enter(app.code())
            expect(console.error()).to_contain_text("Nothing has changed, and this did not count as an attempt.")
        finally:
            kms.enable_key(KeyId=stack.key_arn)
        expect(console.pause()).to_have_count(0)
        console.enter(app.code())
        console.heading("Save your backup codes")


# -- navigation, and secrets left behind ----------------------------------------------------------------------------


def test_secrets_and_codes_disappear_with_their_view(console: ConsolePage, app: Authenticator, name: str) -> None:
    page = console.page
    console.sign_in(name)
    console.heading("Two-step verification")
    console.button("Turn on").dblclick()
    console.scan(app)
    assert sum(url.endswith(SETUP.path) for url in console.watched.urls) == 1
    console.button("Cancel").dblclick()
    console.heading("Two-step verification")
    assert app.secret not in _everything_on(page)
    expect(page.locator("#is-pending")).to_contain_text("You did not finish the setup.")
    page.go_forward()
    console.heading("Two-step verification")
    assert app.secret not in _everything_on(page)

    console.button("Turn on").click()
    console.scan(app)
    console.enter(app.code())
    console.heading("Save your backup codes")
    codes = console.codes()
    page.go_back()
    expect(console.error()).to_have_text("Save your codes first. They are shown only now.")
    assert console.codes() == codes
    console.save_codes()
    assert not any(code in _everything_on(page) for code in codes)
    page.go_forward()
    console.heading("Two-step verification")
    assert not any(code in _everything_on(page) for code in codes)

    page.reload()
    console.heading("Sign in")
    assert urlsplit(page.url)[2:] == ("/", "", "")


def _everything_on(page: Page) -> str:
    """Return the document without spaces, as the page shows secrets in groups."""
    return page.content().replace(" ", "")


def test_an_expired_qr_code_disappears(console: ConsolePage, app: Authenticator, name: str) -> None:
    page = console.page
    page.clock.install()
    console.sign_in(name)
    console.button("Turn on").click()
    console.scan(app)
    expect(page.locator("#set-up-timer")).to_have_text(re.compile(r"10:00|9:\d\d"))
    page.clock.fast_forward(10 * 60_000)
    expect(page.locator("#set-up-expired")).to_be_visible()
    expect(page.get_by_alt_text("QR code")).to_be_hidden()
    expect(console.button("Copy key")).to_be_hidden()
    assert app.secret not in _everything_on(page)
    expect(console.announced()).to_have_text("This QR code has expired.")


@pytest.mark.parametrize("minutes", [11, -11, 24 * 60])
def test_a_wrong_clock_of_the_device_changes_no_countdown(
    console: ConsolePage, app: Authenticator, name: str, minutes: int
) -> None:
    page = console.page
    page.clock.install(time=datetime.now(UTC) + timedelta(minutes=minutes))
    console.sign_in(name)
    console.button("Turn on").click()
    console.scan(app)
    expect(page.locator("#set-up-timer")).to_have_text(re.compile(r"10:00|9:\d\d"))
    page.clock.fast_forward(9 * 60_000)
    expect(page.locator("#set-up-timer")).to_have_text(re.compile(r"[01]:\d\d"))
    expect(page.get_by_alt_text("QR code")).to_be_visible()


_RECORD_HISTORY: Final = """
window.pushed = [];
for (const name of ["pushState", "replaceState"]) {
  const original = history[name];
  history[name] = function (...passed) {
    window.pushed.push(JSON.stringify(passed));
    return original.apply(this, passed);
  };
}
"""
_STORED: Final = """async () => JSON.stringify([
  { ...localStorage }, { ...sessionStorage }, document.cookie, await indexedDB.databases(), await caches.keys(),
  window.name, document.title, window.pushed,
])"""


def test_nothing_secret_is_in_urls_history_or_storage(
    open_console: OpenConsole, app: Authenticator, name: str, stack: Stack
) -> None:
    console = open_console()
    page = console.page
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(frame.url))
    page.add_init_script(_RECORD_HISTORY)
    page.reload()
    console.sign_in(name)
    codes = console.enrol(app)
    console.sign_in_again()
    console.enter(app.code())
    console.heading("Two-step verification")
    console.button("Turn off").click()
    console.use_backup_code(codes[0])
    expect(page.locator("#done")).to_contain_text("is off")

    used = Ledger()
    console.watched.write_down(used, stack.api_url)
    assert {each.kind for each in used.used.values()} == {*Kind} - {Kind.LABEL}
    assert app.secret in used.used
    left_behind = [("a URL", url) for url in (*console.watched.urls, *visited)]
    left_behind += [("storage and history", page.evaluate(_STORED))]
    left_behind += [("the browser's console", message.text) for message in console.watched.console]
    assert [str(leak) for leak in Search(used.used.values()).leaks(left_behind)] == []
    assert page.context.cookies() == []
    assert page.context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}


def test_the_api_allows_the_origin_of_the_console(console: ConsolePage, name: str, stack: Stack) -> None:
    page = console.page
    asked: list[dict[str, Any]] = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.requestWillBeSent", lambda event: asked.append(event))
    with page.expect_response(f"{stack.api_url}{STATUS.path}") as status:
        console.sign_in(name)
    console.heading("Two-step verification")
    assert not stack.api_url.startswith(console.origin)
    assert status.value.headers["access-control-allow-origin"] == console.origin
    preflights = [each["request"]["url"] for each in asked if each["request"]["method"] == "OPTIONS"]
    assert preflights == [f"{stack.api_url}{STATUS.path}"]
