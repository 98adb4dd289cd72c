"""The console's request panel, and its API page: Swagger UI with the token of the signed-in user."""

import json

from playwright.sync_api import Locator, Page, expect

from functions.shared.contract import SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from tests.e2e.console_page import Authenticator, ConsolePage
from tests.support.browser import LOOKS, PHONE, OpenPage, accessibility_violations, look, overflows, tab_through


def operation(page: Page, route: Endpoint) -> Locator:
    """Return the part of a route in the viewer."""
    return page.locator(".opblock", has=page.locator(f'[data-path="{route.path}"]')).filter(
        has=page.get_by_text(route.method, exact=True)
    )


def execute(page: Page, route: Endpoint, body: object = None) -> dict[str, object]:
    """Send a request from the viewer, and return the body of the response that it shows."""
    part = operation(page, route)
    if part.get_by_role("button", name="Execute").count() == 0:
        part.locator(".opblock-summary-control").click()
    if body is not None:
        part.locator("textarea.body-param__text").fill(json.dumps(body))
    with page.expect_response(f"**{route.path}") as answered:
        part.get_by_role("button", name="Execute").click()
    expect(part.locator(".live-responses-table .response-col_status").last).to_contain_text(str(answered.value.status))
    found: dict[str, object] = answered.value.json()
    return found


def test_the_api_page_enrols_and_verifies_as_the_signed_in_user_who_stays_signed_in(
    console: ConsolePage, name: str, app: Authenticator
) -> None:
    console.sign_in(name)
    console.heading("Two-step verification")
    for link in ("API", "Operations", "Documentation"):
        with console.page.context.expect_page() as opened:
            console.page.get_by_role("link", name=link, exact=True).click()
        console.watched.attach(opened.value)
        if link == "API":
            page = opened.value
    expect(page.locator("#who")).to_contain_text(f"act for {name}")
    expect(page.locator(".opblock").first).to_be_visible()

    enrolment = execute(page, SETUP)
    app.secret = str(enrolment["secret"])
    enabled = execute(page, VERIFY_SETUP, {"code": app.code()})
    assert len(enabled["backupCodes"]) == 8  # type: ignore[arg-type]
    verified = execute(page, VERIFY, {"code": app.code(steps=1)})
    assert (verified["verified"], verified["method"]) == (True, "totp")

    # The tab of the user still has its session.
    expect(console.page.get_by_text("Signed in as")).to_be_visible()
    page.set_viewport_size({"width": PHONE, "height": 800})
    assert not overflows(page)


def test_the_api_page_is_accessible_and_fits_the_screen(open_page: OpenPage) -> None:
    page = open_page("/api").page
    expect(page.locator("#who")).to_contain_text("act for")
    assert execute(page, VERIFY, {"code": "123"})["error"] == "VALIDATION_ERROR"
    execute(page, STATUS)
    for width, scheme in LOOKS:
        look(page, width, scheme)
        expect(page.locator("html.dark-mode")).to_have_count(int(scheme == "dark"))
        assert accessibility_violations(page) == [], f"{width}, {scheme}"
        assert not overflows(page), width


def test_the_keyboard_reaches_and_operates_the_api_page(open_page: OpenPage) -> None:
    page = open_page("/api").page
    expect(page.locator("#who")).to_contain_text("act for")
    part = operation(page, STATUS)
    part.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(part.get_by_role("button", name="Execute")).to_be_visible()
    tab_through(page)
    part.get_by_role("button", name="Execute").focus()
    page.keyboard.press("Enter")
    expect(part.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    tab_through(page)


def test_a_request_shows_its_bodies_without_secrets_its_command_and_its_documentation(
    console: ConsolePage, name: str, app: Authenticator
) -> None:
    console.sign_in(name)
    console.button("Turn on").click()
    console.scan(app)
    console.enter(app.code(steps=-1))
    codes = console.save_codes()
    panel = console.page.locator(".calls")
    expect(panel.locator("summary")).to_have_count(5)
    for each in panel.locator("summary").all():
        each.press("Enter")
    shown = panel.inner_text()
    for secret in (app.secret, app.code(steps=-1), *codes, "data:image"):
        assert secret not in shown
    assert '"code": "•••"' in shown
    assert '"backupCodes": "•••"' in shown
    panel.get_by_role("button", name=f"Copy as curl: POST {VERIFY_SETUP.path}").click()
    command = str(console.page.evaluate("() => navigator.clipboard.readText()"))
    assert f"{VERIFY_SETUP.path}'" in command
    assert """-d '{"code":"CODE"}'""" in command
    assert "$TOKEN" in command
    with console.page.context.expect_page() as opened:
        panel.get_by_role("link", name=f"Documentation of POST {VERIFY_SETUP.path} (new tab)").click()
    expect(opened.value.get_by_role("heading", name=f"POST {VERIFY_SETUP.path}")).to_be_in_viewport()
