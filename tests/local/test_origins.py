"""Which hosts and pages the ports of the local stack answer."""

import itertools
from http import HTTPStatus

import pytest

from local import origins

OWN = "127.0.0.1:4566"


@pytest.mark.parametrize("host", [OWN, "localhost:4566", "LOCALHOST:4566", "[::1]:4566", "127.0.0.1"])
def test_names_of_this_machine_are_answered(host: str) -> None:
    assert origins.foreign_host({"host": host}) is None


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "evil.example:4566",
        "127.0.0.1.evil.example:4566",
        "localhost.evil.example",
        "evil.localhost:4566",
        "127.0.0.1:4566, evil.example",
        "127.0.0.1:4566@evil.example",
        "127.0.0.1:x",
        "127.0.0.2:4566",
        "0.0.0.0:4566",
        "[::ffff:127.0.0.1]:4566",
        "127.0.0.1:4566\n",
    ],
)
def test_other_names_and_none_are_refused(host: str | None) -> None:
    refusal = origins.foreign_host({} if host is None else {"host": host})
    assert refusal is not None
    assert refusal.status is HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a program
        {"origin": f"http://{OWN}"},
        {"origin": f"http://{OWN}", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},  # a link
    ],
    ids=str,
)
def test_own_pages_programs_and_links_are_answered(headers: dict[str, str]) -> None:
    assert origins.foreign_page("GET", {"host": OWN} | headers) is None


FORM = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", FORM),
        *itertools.product(
            ["GET", "POST", "OPTIONS"],
            [
                {"origin": "http://evil.example"},
                {"origin": "null"},
                {"origin": ""},
                {"origin": "http://127.0.0.1:9999"},
                {"origin": "http://localhost:4566"},
                {"origin": f"https://{OWN}"},
                {"origin": f"http://{OWN}.evil.example"},
                {"origin": f"http://{OWN}", "sec-fetch-site": "cross-site"},
                {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
                {"origin": "null", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},  # a form of a sandbox
                {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},  # an image
                {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},  # of another port
            ],
        ),
    ],
    ids=str,
)
def test_foreign_pages_are_refused(method: str, headers: dict[str, str]) -> None:
    refusal = origins.foreign_page(method, {"host": OWN} | headers)
    assert refusal is not None
    assert refusal.status is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "same-origin"}, {"origin": f"http://{OWN}", "sec-fetch-site": "none"}], ids=str
)
def test_where_a_page_is_required_a_program_is_refused(headers: dict[str, str]) -> None:
    assert origins.foreign_page("POST", {"host": OWN} | headers, page_required=True) is not None


@pytest.mark.parametrize("site", [{}, {"sec-fetch-site": "same-origin"}], ids=str)
def test_where_a_page_is_required_an_own_one_is_answered(site: dict[str, str]) -> None:
    assert origins.foreign_page("POST", {"host": OWN, "origin": f"http://{OWN}"} | site, page_required=True) is None
