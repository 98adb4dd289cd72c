"""Nothing that a run used as a secret is written down by it: the search for it, and proof that the search finds it."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pyotp
import pytest

from infra.paths import REPOSITORY
from tests.support.leaks import Kind, Ledger, Search
from tests.support.source_copy import SourceCopy
from tests.support.tokens import claims, rsa_key

SECRET = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ"
TOTP_CODE = "492039"
BACKUP_CODE = "QKXA4821"
#: Of letters that are hexadecimal digits too.
HEX_BACKUP_CODE = "BEAD4821"
TOKEN = rsa_key("rsa-1").token(claims())
QR_CODE = "data:image/png;base64," + base64.b64encode(hashlib.shake_256(b"a picture").digest(600)).decode()
LABEL = "grace@example.com"

KEY = base64.b32decode(SECRET)
_, PAYLOAD, SIGNATURE = TOKEN.split(".")


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def in_json(**members: object) -> str:
    return json.dumps({"level": "INFO", "message": "request answered", **members})


PLANTED = [
    pytest.param(Kind.SECRET, SECRET, in_json(x=SECRET), id="secret"),
    pytest.param(Kind.SECRET, SECRET, f"otpauth://totp/A:b?secret={SECRET}&issuer=A", id="secret in a Key URI"),
    pytest.param(Kind.SECRET, SECRET, SECRET.lower(), id="secret in lower case"),
    pytest.param(Kind.SECRET, SECRET, " ".join(SECRET[i : i + 4] for i in range(0, 32, 4)), id="secret in groups"),
    pytest.param(Kind.SECRET, SECRET, "-".join(SECRET[i : i + 4] for i in range(0, 32, 4)).lower(), id="hyphenated"),
    pytest.param(Kind.SECRET, SECRET, in_json(x=SECRET[:16]), id="first half of a secret"),
    pytest.param(Kind.SECRET, SECRET, in_json(x=SECRET[16:]), id="second half of a secret"),
    pytest.param(Kind.SECRET, SECRET, f"{SECRET[:15]}...", id="beginning of a secret"),
    pytest.param(Kind.SECRET, SECRET, f"...{SECRET[9:24]}...", id="middle of a secret"),
    pytest.param(Kind.SECRET, SECRET, base64_of(SECRET), id="secret in base64"),
    pytest.param(Kind.SECRET, SECRET, base64_of(in_json(x=SECRET)), id="base64 of a line with a secret"),
    pytest.param(Kind.SECRET, SECRET, base64_of(f"a{SECRET}"), id="base64, at another offset"),
    pytest.param(Kind.SECRET, SECRET, base64_of(f"ab{SECRET}"), id="base64, at the third offset"),
    pytest.param(Kind.SECRET, SECRET, SECRET.encode().hex(), id="secret in hexadecimal"),
    pytest.param(Kind.SECRET, SECRET, SECRET.encode().hex().upper(), id="secret in upper-case hexadecimal"),
    pytest.param(Kind.SECRET, SECRET, "".join(f"%{ord(char):02X}" for char in SECRET), id="secret percent-encoded"),
    pytest.param(Kind.SECRET, SECRET, "".join(f"\\u{ord(char):04x}" for char in SECRET), id="secret escaped"),
    pytest.param(Kind.SECRET, SECRET, str(list(SECRET.encode())), id="secret as a list"),
    pytest.param(Kind.SECRET, SECRET, repr(KEY), id="key as Python shows it"),
    pytest.param(Kind.SECRET, SECRET, KEY.hex(), id="key in hexadecimal"),
    pytest.param(Kind.SECRET, SECRET, base64.b64encode(KEY).decode(), id="key in base64"),
    pytest.param(Kind.SECRET, SECRET, base64.urlsafe_b64encode(b"x" + KEY).decode(), id="key in base64url"),
    pytest.param(Kind.SECRET, SECRET, str(list(KEY)), id="key as a list"),
    pytest.param(Kind.QR_CODE, QR_CODE, in_json(x=QR_CODE), id="QR code"),
    pytest.param(Kind.QR_CODE, QR_CODE, QR_CODE[300:400], id="a piece of a QR code"),
    pytest.param(Kind.QR_CODE, QR_CODE, quote(QR_CODE, safe=""), id="QR code percent-encoded"),
    pytest.param(Kind.TOTP_CODE, TOTP_CODE, in_json(code=TOTP_CODE), id="code"),
    pytest.param(Kind.TOTP_CODE, TOTP_CODE, in_json(code=int(TOTP_CODE)), id="code as a number"),
    pytest.param(Kind.TOTP_CODE, TOTP_CODE, f"wrong code {TOTP_CODE}.", id="code in a sentence"),
    pytest.param(Kind.TOTP_CODE, TOTP_CODE, "code: 492 039", id="code in groups"),
    pytest.param(Kind.TOTP_CODE, TOTP_CODE, base64_of(json.dumps({"code": TOTP_CODE})), id="code in a body in base64"),
    *(
        pytest.param(
            Kind.TOTP_CODE,
            TOTP_CODE,
            base64_of(f"{'x' * before} {TOTP_CODE}{after}"),
            id=f"code in base64, {before}{after!r}",
        )
        for before in range(4)
        for after in ("", " ", ".")
    ),
    pytest.param(Kind.TOTP_CODE, TOTP_CODE, TOTP_CODE.encode().hex(), id="code in hexadecimal"),
    pytest.param(Kind.BACKUP_CODE, BACKUP_CODE, "QKXA-4821", id="backup code"),
    pytest.param(Kind.BACKUP_CODE, BACKUP_CODE, "x=qkxa4821", id="backup code as typed"),
    pytest.param(Kind.BACKUP_CODE, BACKUP_CODE, base64_of("a QKXA-4821"), id="backup code in base64"),
    pytest.param(Kind.BACKUP_CODE, BACKUP_CODE, "%51%4b%58%41%34%38%32%31", id="backup code percent-encoded"),
    pytest.param(Kind.BACKUP_CODE, HEX_BACKUP_CODE, "wrong: bead-4821", id="backup code that reads as hexadecimal"),
    pytest.param(Kind.TOKEN, TOKEN, in_json(authorization=f"Bearer {TOKEN}"), id="token"),
    pytest.param(Kind.TOKEN, TOKEN, f"{TOKEN[:100]}...", id="beginning of a token"),
    pytest.param(Kind.TOKEN, TOKEN, SIGNATURE, id="signature"),
    pytest.param(Kind.TOKEN, TOKEN, SIGNATURE[100:123], id="a piece of a signature"),
    pytest.param(Kind.TOKEN, TOKEN, base64_of(f"Bearer {TOKEN}"), id="token in base64"),
    pytest.param(Kind.TOKEN, TOKEN, PAYLOAD.encode().hex(), id="payload in hexadecimal"),
    pytest.param(Kind.LABEL, LABEL, "user GRACE@example.com", id="label"),
    pytest.param(Kind.LABEL, LABEL, "A:grace%40example.com", id="label percent-encoded"),
]

CLEAN = [
    pytest.param(in_json(timestamp="2026-11-22T12:16:34.492039Z"), id="microseconds"),
    pytest.param(in_json(timestamp=1795492039123, duration_ms=1234.492039), id="parts of numbers"),
    pytest.param(in_json(request_id="492039aa-4920-4039-8492-492039492039"), id="a UUID"),
    *(
        pytest.param(
            base64_of(f"{'x' * offset}\0$49203914-0b1c-46d8-adc4-d9354e93c6a9"), id=f"a UUID in base64, {offset}"
        )
        for offset in range(3)
    ),
    pytest.param(in_json(id="492039aa-bead-4821-8492-492039492039"), id="a backup code across two groups of a UUID"),
    pytest.param("e3b0" + "bead4821".join(["c4429" * 4] * 2), id="a backup code in a hash"),
    pytest.param(base64_of("id a1492039 b"), id="the end of a word in base64"),
    pytest.param(in_json(secret="****", backup_codes_remaining=8, code="INVALID_CODE"), id="words"),
    pytest.param(in_json(header=TOKEN.split(".")[0]), id="a token's header"),
    pytest.param("iVBORw0KGgoAAAANSUhEUgAAAagAAAGoAQAAAADPs6ZVAAAAB", id="a PNG's header"),
]


def ledger() -> Ledger:
    used = Ledger()
    used.add(Kind.SECRET, SECRET)
    used.add(Kind.QR_CODE, QR_CODE)
    used.add(Kind.LABEL, LABEL)
    used.add_token(TOKEN)
    used.add_request({"code": "492-039"})
    used.add_request(b'{"backupCode": "qkxa-4821"}')
    used.add_request({"backupCode": "bead-4821"})
    return used


@pytest.mark.parametrize(("kind", "value", "line"), PLANTED)
def test_a_planted_leak_is_found(kind: Kind, value: str, line: str) -> None:
    search = Search(ledger().used.values())
    found = list(search.leaks([("a log", f"2026-11-22 {line} and more"), ("another", "nothing")]))
    assert [(leak.used.kind, leak.used.value, leak.place) for leak in found] == [(kind, value, "a log")]
    assert "test_a_planted_leak_is_found" in str(found[0])


@pytest.mark.parametrize("line", CLEAN)
def test_what_is_no_leak_is_not_found(line: str) -> None:
    assert list(Search(ledger().used.values()).leaks([("a log", line)])) == []


def test_many_values_in_many_lines_are_found_once_a_line() -> None:
    """Fast enough for a whole run: the time grows with the lines and hardly with the values."""
    used = Ledger()
    for _ in range(300):
        used.add(Kind.SECRET, pyotp.random_base32())
    noise = [("log", os.urandom(500).hex()) for _ in range(1000)]
    values = list(used.used)
    noise[500] = ("here", f"{values[7]} {values[7]}")
    assert [leak.used.value for leak in Search(used.used.values()).leaks(noise)] == [values[7]]


class TestLedger:
    """What is remembered of requests and answers, and what is left of an answer to be searched."""

    def test_an_answers_own_secrets_are_remembered_and_not_searched(self) -> None:
        used = ledger()
        used.add_answer("setup", 200, {"X-Id": "1"}, json.dumps({"secret": SECRET[::-1], "qrCode": QR_CODE[::-1]}))
        used.add_answer("verify-setup", 200, {}, {"enabled": True, "backupCodes": ["ZZZZ-0000"]})
        kinds = {value: each.kind for value, each in used.used.items()}
        assert kinds[SECRET[::-1]] is Kind.SECRET
        assert kinds[QR_CODE[::-1]] is Kind.QR_CODE
        assert kinds["ZZZZ0000"] is Kind.BACKUP_CODE
        assert list(Search(used.used.values()).leaks(used.answers)) == []

    @pytest.mark.parametrize(
        ("status", "headers", "body"),
        [
            pytest.param(400, {}, {"error": "INVALID_CODE", "message": f"{TOTP_CODE} is wrong"}, id="error"),
            pytest.param(500, {}, SECRET, id="no JSON"),
            pytest.param(200, {}, {"verified": True, "code": BACKUP_CODE}, id="another member"),
            pytest.param(200, {"Location": f"/?secret={SECRET}"}, {"secret": SECRET}, id="header"),
            pytest.param(409, {}, {"secret": SECRET}, id="a secret in an error"),
        ],
    )
    def test_the_rest_of_it_is(self, status: int, headers: dict[str, str], body: object) -> None:
        used = ledger()
        used.add_answer("a route", status, headers, body)
        (leak,) = Search(used.used.values()).leaks(used.answers)
        assert leak.place.startswith(f"the answer {status} of a route to ")

    @pytest.mark.parametrize("token", ["", "x", "null", "a.b.c", "." * 100, "a" * 1000, f"{TOKEN} {TOKEN}"])
    def test_junk_is_no_token(self, token: str) -> None:
        used = Ledger()
        used.add_token(token)
        assert used.used == {}

    @pytest.mark.parametrize("body", [None, b"", b"\xff", "[]", "{", '{"code":1}', '{"code":"12345"}', "[" * 100_000])
    def test_junk_is_no_code(self, body: object) -> None:
        used = Ledger()
        used.add_request(body)
        assert used.used == {}

    def test_what_is_made_up_at_a_glance_is_no_code(self) -> None:
        used = Ledger()
        used.add_request({"code": "000000"})
        used.add_request({"backupCode": "AAAA-0000"})
        assert used.used == {}


PLANTED_TESTS = """
import json, logging, sys
from tests.support.leaks import IN_PROCESS

@IN_PROCESS.watching
def handler(event, _):
    body = {"secret": "SECRET"}
    if event:
        body = {"message": json.loads(event["body"])["code"]}
    return {"statusCode": 400 if event else 200, "headers": {}, "body": json.dumps(body)}

def test_printed():
    print(handler({}, None)["body"])

def test_read(capsys):
    print(handler({}, None)["body"])
    capsys.readouterr()

def test_logged():
    logging.getLogger("x").warning(handler({}, None)["body"])

def test_answered():
    handler({"body": '{"code": "492039"}'}, None)

def test_error():
    print(handler({}, None)["body"], file=sys.stderr)

def test_quiet():
    handler({}, None)
    print("nothing")
"""


def test_a_test_that_shows_a_secret_fails_and_says_which(tmp_path: Path) -> None:
    """The handlers that tests load are watched, and what a test prints is searched when it ends."""
    (tmp_path / "test_planted.py").write_text(PLANTED_TESTS.replace("SECRET", SECRET))
    plugins = ["-p", "tests.support.leak_watch", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-rN", "--rootdir", tmp_path, "-c", "/dev/null", tmp_path],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    heading = re.compile(r"_ ERROR at teardown of test_(\w+) _+\n.*must stay secret: (.*)\n")
    secret = "1 x TOTP secret"
    assert dict(heading.findall(done.stdout)) == {
        "printed": secret,
        "read": secret,
        "logged": secret,
        "answered": "1 x TOTP code",
        "error": secret,
    }
    assert "6 passed, 5 errors" in done.stdout


#: Leaks as they happen, each by the file, what is in it, and what is there instead.
LEAKING_CODE = {
    "a print, forgotten in a handler": (
        "functions/verify_mfa/handler.py",
        "        return verify(",
        "        print(request.body)\n        return verify(",
    ),
    "the answer, as a field of the log line": (
        "functions/shared/http.py",
        "                **reply.log_fields,\n",
        "                **reply.log_fields,\n                returned=reply.body,\n",
    ),
    "the secret, as the name of a metric": (
        "functions/shared/second_factor.py",
        "        secret = open_secret(self._opener, record, count)\n",
        "        secret = open_secret(self._opener, record, count)\n        count(secret)\n",
    ),
    "the request, in the message of an error": (
        "functions/shared/http.py",
        "            outcome = counts.rejections\n",
        "            outcome = counts.rejections\n            error.message = f'refused: {self.event}'\n",
    ),
}


@pytest.mark.attack
def test_code_that_leaks_fails_a_test_that_looks_for_something_else(
    tmp_path: Path, report: Callable[[str, str], None]
) -> None:
    test = "tests/verify_mfa/test_verify.py::TestBackupCode::test_each_is_good_for_one_login"
    heading = re.compile("must stay secret: (.*)")
    rows = ["| Planted in the code | Found in what one test printed and was answered |", "|---|---|"]
    with SourceCopy(tmp_path) as copy:
        assert copy.pytest(test).status == 0
        for what, (file, text, instead) in LEAKING_CODE.items():
            with copy.changed(file, text, instead):
                finished = copy.pytest(test)
            found = heading.search(finished.output)
            assert (finished.status, bool(found)) == (1, True), finished.output
            rows.append(f"| {what} | {found and found[1]} |")
    report("Leaks, planted one by one", "\n".join(rows))
