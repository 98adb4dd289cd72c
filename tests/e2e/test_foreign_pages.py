"""Web pages of other origins, in a real browser, against the ports of a running stack."""

import base64
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from functions.shared.contract import STATUS
from local import ports, server
from local.stack import Stack, StackFolder
from tests.support.browser import PATIENCE_MILLISECONDS
from tests.support.processes import in_session, listening
from tests.support.stack import Aws

#: What a page can send to any address without asking first: https://fetch.spec.whatwg.org/#cors-safelisted-method
_SEND: Final = """
async ([url, body]) => {
    try {
        await fetch(url, {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body});
        return "sent";
    } catch (error) {
        return String(error);
    }
}
"""
_READ: Final = """
async ([method, url, headers]) => {
    try {
        return (await fetch(url, {method, headers})).status;
    } catch (error) {
        return "unreadable";
    }
}
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def foreign_page(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """Return an open page of another origin: another port of the loopback interface."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Elsewhere</title>")
    with ThreadingHTTPServer((ports.LOOPBACK, 0), partial(_Quiet, directory=folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        context = chromium.new_context()
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = context.new_page()
        page.goto(ports.url(server.server_port))
        yield page
        context.close()
        server.shutdown()
        thread.join()


def _claimed(service: str) -> str:
    """Return the query of a request that claims to be signed with the key ``test``."""
    return urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"test/20260101/us-east-1/{service}/aws4_request",
            "X-Amz-Date": "20260101T000000Z",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": "0" * 64,
        }
    )


def _package(code: str) -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("index.py", code)
    return base64.b64encode(content.getvalue()).decode()


def test_the_stack_opens_these_ports_only(stack: Stack, stack_place: StackFolder) -> None:
    emulator = server.running(stack_place)
    assert emulator is not None
    own = {urlsplit(url).netloc for url in (stack.endpoint_url, stack.console_url)}
    assert listening(in_session(emulator)) == own


def test_a_foreign_page_runs_no_code_on_this_machine(
    stack: Stack, aws: Aws, foreign_page: Page, tmp_path: Path
) -> None:
    name, trace = f"foreign-{uuid.uuid4().hex[:8]}", tmp_path / "trace"
    role = {"Action": "CreateRole", "Version": "2010-05-08", "RoleName": name, "AssumeRolePolicyDocument": "{}"}
    function = {
        "FunctionName": name,
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": f"arn:aws:iam::000000000000:role/{name}",
        "Code": {"ZipFile": _package(f"def handler(event, context):\n    open({str(trace)!r}, 'w').close()\n")},
    }
    functions = f"{stack.endpoint_url}/2015-03-31/functions"
    for url, body in (
        (f"{stack.endpoint_url}/?{urlencode(role)}&{_claimed('iam')}", ""),
        (f"{functions}?{_claimed('lambda')}", json.dumps(function)),
        (f"{functions}/{name}/invocations?{_claimed('lambda')}", "{}"),
    ):
        assert foreign_page.evaluate(_SEND, [url, body]) == "sent"

    assert not trace.exists()
    known = aws.client("lambda").list_functions()["Functions"]
    assert name not in {each["FunctionName"] for each in known}


def test_the_api_answers_a_foreign_page_without_cors_headers(
    stack: Stack, foreign_page: Page, api: Any, token_for: Callable[..., str]
) -> None:
    token = token_for("foreign-page@example.com")
    foreign = foreign_page.evaluate("() => location.origin")
    answer = api.request(STATUS.method, STATUS.path, token=token, headers={"Origin": foreign})
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    headers = {"Authorization": f"Bearer {token}"}
    assert foreign_page.evaluate(_READ, [STATUS.method, stack.api_url + STATUS.path, headers]) == "unreadable"
