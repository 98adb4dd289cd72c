"""Origins: accepted exactly as browsers send them, and otherwise refused with what to write instead."""

import pytest

from functions.shared.formats import origin_fault
from tests.support.node import in_node

WEB_ORIGINS = [
    "https://app.example.com",
    "http://localhost:3000",
    "http://127.0.0.1:5173",
    "http://[::1]:8080",
    "https://my_app.example",
    "https://xn--kse-qla.example",
    "https://a.example:80",
    "http://a.example:443",
    "https://a.example:8443",
]
APP_ORIGINS = [
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://obsidian.md",
    "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai",
    "moz-extension://9d1c6cf5-1d4b-4f62-8a3e-6a4f0a1b2c3d",
    "custom+app.scheme-1://host:8080",
]
#: What people write, and the origin that they mean.
MEANT = {
    "https://a.example:443": "https://a.example",
    "http://a.example:80": "http://a.example",
    "http://[::1]:80": "http://[::1]",
    "https://a.example:": "https://a.example",
    "https://a.example:08443": "https://a.example:8443",
    "https://a.example/": "https://a.example",
    "http://localhost:3000/": "http://localhost:3000",
    "https://a.example/app/index.html": "https://a.example",
    "https://a.example?tenant=1": "https://a.example",
    "https://a.example#top": "https://a.example",
    "https://user@a.example": "https://a.example",
    "HTTPS://a.example": "https://a.example",
    "https://App.Example.COM": "https://app.example.com",
    "https://A.example:443/": "https://a.example",
    "https://a.example\n": "https://a.example",
}
APPS_MEANT = {
    "capacitor://localhost/": "capacitor://localhost",
    "Ionic://localhost": "ionic://localhost",
}


@pytest.mark.parametrize("origin", ["*", *WEB_ORIGINS, *APP_ORIGINS])
def test_an_origin_as_browsers_send_it_is_accepted(origin: str) -> None:
    assert origin_fault(origin) is None


@pytest.mark.parametrize(("written", "meant"), [*MEANT.items(), *APPS_MEANT.items()])
def test_another_way_of_writing_an_origin_is_refused_with_the_right_one(written: str, meant: str) -> None:
    assert origin_fault(written) == f"{meant}, as browsers send it"
    assert origin_fault(meant) is None


def test_browsers_agree() -> None:
    """Node implements the same URL standard."""
    origins = in_node("(urls) => urls.map((url) => new URL(url).origin)", [*WEB_ORIGINS, *MEANT])
    assert origins == [*WEB_ORIGINS, *MEANT.values()]


@pytest.mark.parametrize(
    "pattern", ["https://*.example.com", "*.example.com", "https://*", "http://localhost:*", "*://a.example", "**"]
)
def test_a_pattern_is_refused_with_what_browsers_know(pattern: str) -> None:
    assert origin_fault(pattern) == (
        "each origin by its full name, because browsers know no patterns, or * for all origins"
    )


@pytest.mark.parametrize("host", ["käse.example", "例え.jp", "a.\u3002example"])
def test_an_international_host_is_refused_with_the_form_that_browsers_send(host: str) -> None:
    assert origin_fault(f"https://{host}") == "the host in the form that browsers send, which begins with xn--"


@pytest.mark.parametrize(
    "value",
    [
        *("", "null", "app.example.com", "localhost:3000", "//a.example", "https:a.example", "https://", "https:///a"),
        *("file:///index.html", "file://host", "ftp://a.example", "wss://a.example", "javascript:alert(1)"),
        *("data:text/html,x", "https://[::1", "https://a.example:port", "https://a.example:99999", "capacitor:"),
        *("https://a b.example", "https://a'.example", 'https://a".example', "https://.example", "https://a..example"),
    ],
)
def test_what_is_no_origin_is_refused_with_an_example(value: str) -> None:
    assert origin_fault(value) == "an origin such as https://app.example.com, or *"
