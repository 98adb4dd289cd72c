"""The console shows the proof of a login, and pays with it at the protected API."""

import re
from typing import Any

import jwt
from playwright.sync_api import expect

from tests.e2e.console_page import Authenticator, ConsolePage
from tests.support.http_user import HttpUser


def test_a_login_shows_its_proof_which_the_protected_api_accepts_until_it_expires(
    console: ConsolePage, app: Authenticator, person: HttpUser, name: str
) -> None:
    page = console.page
    page.clock.install()
    console.sign_in(name)
    console.heading("Two-step verification")
    expect(page.locator("#proof")).to_be_hidden()  # a password alone proves nothing
    console.enrol(app)
    console.sign_in_again()
    expect(page.locator("#proof")).to_be_hidden()
    console.enter(app.code())
    console.heading("Two-step verification")

    expect(page.locator("#proof-timer")).to_have_text(re.compile(r"^(5:00|4:\d\d)$"))
    page.get_by_text("What the proof says").click()
    rows: list[list[str]] = page.locator("#claims tr").evaluate_all(
        "rows => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    shown = dict(rows)
    assert (shown["aud"], shown["sub"], shown["amr"]) == ("protected-api", person.user_id, "otp, mfa")
    assert shown["auth_time"] == shown["iat"] != shown["exp"]

    with page.expect_request(lambda request: (request.method, request.url[-9:]) == ("POST", "/payments")) as payment:
        console.button("Call the protected API").click()
    expect(page.locator("#paid")).to_have_text(f"Accepted: paid by user {person.user_id}.")
    expect(page.locator("#calls li").first).to_contain_text("POST /payments")
    proof = payment.value.headers["authorization"].removeprefix("Bearer ")
    claims: dict[str, Any] = jwt.decode(proof, options={"verify_signature": False})
    assert set(claims) == set(shown)
    assert proof not in page.content()

    expect(page.locator("#proof-valid")).to_be_visible()
    page.clock.fast_forward("06:00")
    expect(page.locator("#proof-expired")).to_be_visible()
    expect(page.locator("#proof-valid")).to_be_hidden()
    page.route("**/payments", lambda route: route.fulfill(status=401, body='{"message":"Unauthorized"}'))
    console.button("Call the protected API").click()
    expect(page.locator("#paid")).to_contain_text("Sign in again and enter a new code.")

    console.button("Sign out").click()
    console.heading("Sign in")
    expect(page.locator("#proof")).to_be_hidden()
    assert page.locator("#claims tr").count() == 0
