"""Which web pages may call the ports of the local stack.

Any page in the developer's browser can send requests to 127.0.0.1. The browser adds headers that no page can change:

- ``Host`` is the name in the URL. An attacker's name that resolves to 127.0.0.1 (DNS rebinding) stays in it.
- ``Origin`` names the page's origin in every request that is not a plain GET or HEAD.
  https://fetch.spec.whatwg.org/#origin-header
- ``Sec-Fetch-Site`` says whether that origin is the one that is called. https://www.w3.org/TR/fetch-metadata/

A request is answered if ``Host`` names this machine and the page, if there is one, came from that same host and port.
The port in ``Host`` is not compared: a browser always sends the port that it connects to, and a forwarded port differs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from local import ports

_THIS_MACHINE: Final = re.compile(rf"({re.escape(ports.LOOPBACK)}|localhost|\[::1\])(:[0-9]{{1,5}})?", re.IGNORECASE)
_OWN_SITE: Final = "same-origin"
#: What browsers send for a URL that the user typed or opened from a bookmark.
_NO_PAGE: Final = "none"


@dataclass(frozen=True)
class Refusal:
    """The response to a refused request."""

    status: HTTPStatus
    message: str


def foreign_host(headers: Mapping[str, str]) -> Refusal | None:
    """Refuse a request whose ``Host`` does not name this machine; ``headers`` has its names in lower case."""
    if _THIS_MACHINE.fullmatch(headers.get("host", "")):
        return None
    return Refusal(
        HTTPStatus.MISDIRECTED_REQUEST, "The Host header must be 127.0.0.1, localhost or [::1]: this is a local stack"
    )


def foreign_page(method: str, headers: Mapping[str, str], *, page_required: bool = False) -> Refusal | None:
    """Refuse a request that a page of another origin caused; ``headers`` has its names in lower case.

    Links are followed: the page with the link receives no response and sends no data.

    Parameters
    ----------
    page_required
        Also refuse a request that no page sent, such as one of a program.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is None:
        link = method in {"GET", "HEAD"} and headers.get("sec-fetch-mode") == "navigate"
        own = not page_required and (link or site in {None, _OWN_SITE, _NO_PAGE})
    else:
        own = origin.lower() == f"http://{headers.get('host', '')}".lower() and site in {None, _OWN_SITE}
    return None if own else Refusal(HTTPStatus.FORBIDDEN, "Only pages of this origin may call it")
