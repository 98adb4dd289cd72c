"""The sample backends, with the client of their language: a session is partial until the backend verified a code."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.paths import REPOSITORY
from local import ports
from tests.support.http_user import NewUser
from tests.support.stack import Api

BIN = Path(sys.executable).parent
#: The files of each sample backend, by the name of the program that runs the first one.
FILES = {
    "python": ("backend.py", "mfa.py"),
    "node": ("backend.mjs", "mfa.js"),
}

type Start = Callable[[str], str]


@dataclass
class Visitor:
    """A browser that visits a backend: it keeps the session cookie."""

    backend: str
    cookie: str = ""

    def call(self, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
        """Return status and body; a body makes it a POST request."""
        response = httpx.request(
            "GET" if body is None else "POST",
            self.backend + path,
            content=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type, "Cookie": f"session={self.cookie}"},
            timeout=60,
        )
        if "Set-Cookie" in response.headers:
            cookie = SimpleCookie(response.headers["Set-Cookie"])["session"]
            assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
            self.cookie = cookie.value
        answer: dict[str, Any] = response.json()
        return response.status_code, answer

    @property
    def signed_in(self) -> bool:
        return self.call("/account")[0] == 200


@contextmanager
def running(language: str, folder: Path, api_url: str) -> Iterator[str]:
    """Run a backend with nothing but its own files, and yield its URL."""
    for name in FILES[language]:
        shutil.copy(REPOSITORY / "clients" / name, folder)
    command = [str(BIN / language), FILES[language][0]]
    environment = {"MFA_API_URL": api_url, "PORT": "0", "PATH": os.defpath}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(rf"http://{re.escape(ports.LOOPBACK)}:\d+", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the program "node" is a script that starts the real one


@pytest.fixture(params=[*FILES])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_session_is_full_only_after_a_code_that_it_sent_itself(
    language: str, tmp_path: Path, new_user: NewUser, api: Api
) -> None:
    user = new_user(f"backend-{language}")
    with running(language, tmp_path, api.url) as url:
        owner, attacker = Visitor(url), Visitor(url)
        assert owner.call("/account") == (401, {"next": "login"})
        assert owner.call("/code", {"code": "123456"})[0] == 401
        assert owner.call("/login", {"accessToken": user.token}) == (200, {"signedIn": True})  # MFA is off
        assert owner.signed_in

        user.setup()
        user.fresh_time_step()
        status, enrolled = owner.call("/enrolment", {"code": user.code()})
        assert (status, len(enrolled["backupCodes"])) == (200, 8)

        # The attacker has the password, and the code that the owner has just entered.
        assert attacker.call("/login", {"accessToken": user.token}) == (200, {"signedIn": False})
        assert attacker.call("/account") == (401, {"next": "code"})
        for path, code, error in (
            ("/enrolment", user.code(), "MFA_ALREADY_ENABLED"),
            ("/code", user.code(), "INVALID_CODE"),
            ("/code", "12345", "VALIDATION_ERROR"),
        ):
            assert attacker.call(path, {"code": code}) == (403, {"error": error, "retryAfter": None})
            assert not attacker.signed_in

        partial = attacker.cookie
        status, answer = attacker.call("/code", {"code": enrolled["backupCodes"][0].lower()})
        assert (status, answer) == (200, {"signedIn": True, "warnings": []})
        assert attacker.signed_in
        # The id from before the code is worth nothing.
        assert attacker.cookie != partial
        assert Visitor(url, partial).call("/account") == (401, {"next": "login"})


def test_a_locked_factor_says_for_how_long(language: str, tmp_path: Path, new_user: NewUser, api: Api) -> None:
    user = new_user(f"backend-locked-{language}")
    user.enrol()
    with running(language, tmp_path, api.url) as url:
        visitor = Visitor(url)
        visitor.call("/login", {"accessToken": user.token})
        refusals = [visitor.call("/code", {"code": user.wrong_code()})[1] for _ in range(6)]
    assert [each["error"] for each in refusals] == ["INVALID_CODE"] * 5 + ["TOO_MANY_ATTEMPTS"]
    assert 0 < refusals[-1]["retryAfter"] <= 60


def test_without_the_api_nobody_is_signed_in(language: str, tmp_path: Path, new_user: NewUser) -> None:
    token = new_user("backend-offline").token
    with running(language, tmp_path, ports.url(9)) as url:
        visitor = Visitor(url)
        status, answer = visitor.call("/login", {"accessToken": token})
        assert status == 403
        assert answer["error"] in {"NO_RESPONSE", "NETWORK_ERROR"}
        assert visitor.call("/account") == (401, {"next": "login"})
        # Another site's form cannot log the user in, and no body is a crash.
        for body, kind in (({"accessToken": token}, "text/plain"), ({}, "application/json"), ([], "application/json")):
            assert visitor.call("/login", body, kind) == (400, {"error": "VALIDATION_ERROR"})


class _AnotherServer(BaseHTTPRequestHandler):
    """Answers each request with a 200 that is not the API's, as a proxy or a wrong address may."""

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "enabled": null}')

    do_GET = do_POST  # noqa: N815 -- the name that the base class expects


def test_a_200_of_another_server_signs_nobody_in(language: str, tmp_path: Path) -> None:
    with ThreadingHTTPServer((ports.LOOPBACK, 0), _AnotherServer) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with running(language, tmp_path, ports.url(server.server_port)) as url:
                visitor = Visitor(url)
                for path, body in (
                    ("/login", {"accessToken": "token"}),
                    ("/code", {"code": "123456"}),
                    ("/enrolment", {"code": "123456"}),
                ):
                    visitor.call(path, body)
                    assert not visitor.signed_in
        finally:
            server.shutdown()
