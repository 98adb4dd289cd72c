"""The commands and code samples of the documentation work against the API."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pyotp
import pytest

from infra.paths import REPOSITORY
from tests.support.http_user import HttpUser, NewUser
from tests.support.pages import fences, section, text_of
from tests.support.stack import Api

BIN = Path(sys.executable).parent


def shell(commands: str, user: HttpUser, api: Api) -> str:
    """Run commands with ``API`` and ``TOKEN`` set, and return their output."""
    finished = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        cwd=REPOSITORY,
        env=os.environ | {"API": api.url, "TOKEN": user.token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_quick_start_enrols_and_logs_in(new_user: NewUser, api: Api) -> None:
    user = new_user("quick-start")
    prepare, enrol, verify, status = fences(section("quick-start.md", "Call it"), "bash")

    assert re.findall(r"^(\w+)=", prepare, re.MULTILINE) == ["API", "TOKEN"]
    enrolled = json.loads(shell(enrol, user, api))
    assert enrolled["enabled"] is True
    logged_in = json.loads(shell(verify.replace("ABCD-1234", enrolled["backupCodes"][0]), user, api))
    assert (logged_in["verified"], logged_in["method"]) == (True, "backup_code")
    assert json.loads(shell(status, user, api))["backupCodesRemaining"] == 7


def test_the_api_url_comes_from_the_file_of_the_stack(tmp_path: Path, api: Api) -> None:
    (assignment,) = {
        line
        for page in ("quick-start.md", "api.md")
        for block in fences(text_of(page), "bash")
        for line in block.splitlines()
        if line.startswith("API=")
    }
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(json.dumps({"api_url": api.url}))
    (tmp_path / ".venv").symlink_to(REPOSITORY / ".venv")

    output = subprocess.run(
        ["/bin/bash", "-c", f'{assignment}; echo "$API"'], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert output.stdout.strip() == api.url


@pytest.mark.parametrize("heading", re.findall(r"^## (`(?:GET|POST) .*`)$", text_of("api.md"), re.MULTILINE))
def test_the_requests_of_the_api_page_are_valid(new_user: NewUser, api: Api, heading: str) -> None:
    """Their codes are made up, so the expected error is a wrong code, not an invalid request."""
    user = new_user("api-page")
    if "setup" not in heading:
        user.enrol()
    elif "verify-setup" in heading:
        user.setup()
    commands = fences(section("api.md", heading), "bash")
    assert commands

    for command in commands:
        answer = json.loads(shell(command, user, api))
        assert answer.get("error", "INVALID_CODE") == "INVALID_CODE"
        assert ("error" in answer) == ("-d '{\"" in command)


# -- integration guide


USE = """
import { MfaClient, MfaError } from "./mfa.js";
import { confirmEnrolment, showEnrolment } from "./page.js";
const [api, token] = process.argv.slice(2);
const mfa = new MfaClient({ baseUrl: api, accessToken: () => token });
const page = { qrCode: {}, key: {}, link: {}, expired: { hidden: true } };
const user = { issuer: "AI & Lifestyle", account: "ada+1@example.com" };
const timers = await Promise.all([showEnrolment(mfa, page, user), showEnrolment(mfa, page, user)]);
const { secret } = await mfa.setup();
timers.forEach(clearTimeout);
const output = { before: await mfa.status(), uri: page.link.href, same: page.key.textContent === secret };
output.unreadable = await confirmEnrolment(mfa, "000 00");
try {
  await mfa.verifySetup("00000");
} catch (error) {
  output.refused = [error instanceof MfaError, error.code, error.status, error.requestId.length > 10];
}
try {
  await new MfaClient({ baseUrl: "http://127.0.0.1:9", accessToken: () => token }).status();
} catch (error) {
  output.offline = error.code;
}
console.log(JSON.stringify(output));
"""


def test_the_javascript_code_of_the_integration_guide_calls_the_api(
    new_user: NewUser, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(REPOSITORY / "clients" / "mfa.js", tmp_path)
    (tmp_path / "page.js").write_text(fences(text_of("integration.md"), "javascript")[0])
    (tmp_path / "use.js").write_text(USE)

    run = [str(BIN / "node"), str(tmp_path / "use.js"), api.url, new_user("javascript-guide").token]
    output = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)

    assert output["before"]["state"] == "PENDING"
    assert output["refused"] == [True, "VALIDATION_ERROR", 400, True]
    assert output["offline"] == "NETWORK_ERROR"
    assert (output["same"], output["unreadable"]) == (True, None)
    read = pyotp.parse_uri(output["uri"])
    assert (read.issuer, read.name) == ("AI & Lifestyle", "ada+1@example.com")
    assert "+" not in urllib.parse.urlsplit(output["uri"]).query
