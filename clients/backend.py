"""A sample backend: sessions on the server, which stay partial until this backend has verified the second factor.

    MFA_API_URL=https://api.example.com/v1 python backend.py

It needs only ``mfa.py`` and the standard library. ``POST /login`` stands for the end of your issuer's login: it takes
the access token that the issuer returned to your backend. ``backend.mjs`` is the same for Node.
"""

import json
import os
import secrets
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mfa import MfaClient, MfaError, typed_code

# -- the guide shows this part --


@dataclass
class Session:
    """A session on the server; the browser has only its id. It is partial until ``signed_in``."""

    access_token: str
    signed_in: bool = False


def after_first_factor(mfa: MfaClient, access_token: str) -> Session:
    """Call this after the issuer's login. An error creates no session."""
    return Session(access_token, signed_in=mfa.status(access_token)["enabled"] is False)


def after_second_factor(mfa: MfaClient, session: Session, typed: str) -> dict[str, Any]:
    """Call this with the code that the user entered, of either kind. Give the session a new id afterwards."""
    result = mfa.verify(session.access_token, typed_code(typed))
    session.signed_in = result["verified"] is True
    return result


def after_enrolment(mfa: MfaClient, session: Session, code: str) -> list[str]:
    """Call this with the first code of a new enrolment, and show the backup codes. Give the session a new id."""
    result = mfa.verify_setup(session.access_token, code)
    session.signed_in = result["enabled"] is True
    backup_codes: list[str] = result["backupCodes"]
    return backup_codes


# -- the guide ends here --

#: In memory. A real backend uses a store that all its processes share, and ends old sessions.
SESSIONS: dict[str, Session] = {}
LOCK = threading.Lock()
MAX_BODY_BYTES = 8192


class Backend(BaseHTTPRequestHandler):
    """The routes: JSON in and out, with a session cookie that scripts and other sites cannot use."""

    mfa = MfaClient(os.environ["MFA_API_URL"])

    def do_GET(self) -> None:
        """Show the account page, to full sessions only."""
        session = self._session()
        if self.path != "/account":
            self._reply(HTTPStatus.NOT_FOUND, {})
        elif session is None or not session.signed_in:
            self._reply(HTTPStatus.UNAUTHORIZED, {"next": "login" if session is None else "code"})
        else:
            self._reply(HTTPStatus.OK, {"account": "yours"})

    def do_POST(self) -> None:
        """Log in, enter a code, enrol, or log out."""
        try:
            body = self._body()
            if self.path == "/login":
                session = after_first_factor(self.mfa, str(body["accessToken"]))
                self._renew(session, {"signedIn": session.signed_in})
            elif (known := self._session()) is None:
                self._reply(HTTPStatus.UNAUTHORIZED, {"next": "login"})
            elif self.path == "/code":
                result = after_second_factor(self.mfa, known, str(body["code"]))
                self._renew(known, {"signedIn": known.signed_in, "warnings": result.get("warnings", [])})
            elif self.path == "/enrolment":
                backup_codes = after_enrolment(self.mfa, known, str(body["code"]))
                self._renew(known, {"signedIn": known.signed_in, "backupCodes": backup_codes})
            else:
                self._reply(HTTPStatus.NOT_FOUND, {})
        except MfaError as error:
            # Not the API's status: a 401 of the API means that its token has expired, not this session.
            self._reply(HTTPStatus.FORBIDDEN, {"error": error.code, "retryAfter": error.retry_after})
        except (KeyError, TypeError, ValueError):
            self._reply(HTTPStatus.BAD_REQUEST, {"error": "VALIDATION_ERROR"})

    def _body(self) -> dict[str, Any]:
        # Another site's form cannot send this type, so it cannot act for the user.
        if self.headers.get_content_type() != "application/json":
            raise ValueError("expected application/json")
        length = int(self.headers.get("Content-Length", 0))
        if not 0 < length <= MAX_BODY_BYTES:
            raise ValueError("expected a body")
        body: dict[str, Any] = json.loads(self.rfile.read(length))
        return body

    def _id(self) -> str:
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        except CookieError:
            return ""
        return morsel.value if morsel else ""

    def _session(self) -> Session | None:
        return SESSIONS.get(self._id())

    def _renew(self, session: Session, body: dict[str, Any]) -> None:
        """Store the session under a new id, so that an id from before the login is worth nothing."""
        new_id = secrets.token_urlsafe(32)
        with LOCK:
            SESSIONS.pop(self._id(), None)
            SESSIONS[new_id] = session
        # A real backend adds "; Secure" and is reached by https only.
        self._reply(HTTPStatus.OK, body, f"session={new_id}; HttpOnly; SameSite=Lax; Path=/")

    def _reply(self, status: HTTPStatus, body: dict[str, Any], cookie: str = "") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Backend)
    print(f"The sample backend is at http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
