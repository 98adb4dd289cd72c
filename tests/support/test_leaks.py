"""The search for leaks finds planted secrets, and nothing else."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.paths import REPOSITORY
from tests.support.leaks import Kind, Ledger, Search
from tests.support.tokens import claims, rsa_key

SECRET = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ"
KEY = base64.b32decode(SECRET)
TOTP_CODE = "492039"
BACKUP_CODE = "QKXA4821"
#: Its letters are hexadecimal digits too.
HEX_BACKUP_CODE = "BEAD4821"
TOKEN = rsa_key("rsa-1").token(claims())
HEADER, _, SIGNATURE = TOKEN.split(".")
QR_CODE = "data:image/png;base64," + base64.b64encode(hashlib.shake_256(b"a picture").digest(600)).decode()
LABEL = "grace@example.com"


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def in_json(**members: object) -> str:
    return json.dumps({"level": "INFO", "message": "request answered", **members})


PLANTED = {
    (Kind.SECRET, SECRET): [
        in_json(x=SECRET),
        SECRET.lower(),
        " ".join(re.findall(".{4}", SECRET)),
        "-".join(re.findall(".{4}", SECRET)).lower(),
        SECRET[:15],
        SECRET[9:24],
        SECRET[16:],
        *(base64_of("x" * offset + SECRET) for offset in range(3)),
        SECRET.encode().hex(),
        repr(KEY),
        KEY.hex(),
        base64.urlsafe_b64encode(b"x" + KEY).decode(),
    ],
    (Kind.QR_CODE, QR_CODE): [in_json(x=QR_CODE), QR_CODE[300:400]],
    (Kind.TOTP_CODE, TOTP_CODE): [
        in_json(code=TOTP_CODE),
        in_json(code=int(TOTP_CODE)),
        f"wrong code {TOTP_CODE}.",
        "code: 492 039",
        *(base64_of(f"{'x' * before} {TOTP_CODE}{after}") for before in range(4) for after in ("", " ", ".")),
        TOTP_CODE.encode().hex(),
    ],
    (Kind.BACKUP_CODE, BACKUP_CODE): ["QKXA-4821", "x=qkxa4821", base64_of("a QKXA-4821"), "%51%4b%58%41%34%38%32%31"],
    (Kind.BACKUP_CODE, HEX_BACKUP_CODE): ["wrong: bead-4821"],
    (Kind.TOKEN, TOKEN): [f"Bearer {TOKEN}", SIGNATURE[100:123], base64_of(f"Bearer {TOKEN}")],
    (Kind.LABEL, LABEL): ["user GRACE@example.com", "A:grace%40example.com"],
}
CLEAN = [
    in_json(timestamp="2026-11-22T12:16:34.492039Z"),
    in_json(timestamp=1795492039123, duration_ms=1234.492039),
    in_json(request_id="492039aa-4920-4039-8492-492039492039"),
    *(base64_of(f"{'x' * offset}\0$49203914-0b1c-46d8-adc4-d9354e93c6a9") for offset in range(3)),
    in_json(id="492039aa-bead-4821-8492-492039492039"),  # a backup code across two groups of a UUID
    "e3b0" + "bead4821".join(["c4429" * 4] * 2),  # a backup code within a hash
    base64_of("id a1492039 b"),
    in_json(secret="****", backup_codes_remaining=8, code="INVALID_CODE"),
    in_json(header=HEADER),
    "iVBORw0KGgoAAAANSUhEUgAAAagAAAGoAQAAAADPs6ZVAAAAB",  # the first bytes of any QR code
]


@pytest.fixture
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


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    # Numbered: the token is another one in each process.
    [
        pytest.param(kind, value, text, id=f"{kind}-{number}")
        for (kind, value), texts in PLANTED.items()
        for number, text in enumerate(texts)
    ],
)
def test_a_planted_leak_is_found(ledger: Ledger, kind: Kind, value: str, text: str) -> None:
    found = Search(ledger.used.values()).leaks([("a log", f"2026-11-22 {text} and more"), ("another", "nothing")])
    assert [(leak.used.kind, leak.used.value, leak.place) for leak in found] == [(kind, value, "a log")]


@pytest.mark.parametrize("text", CLEAN, ids=[str(number) for number in range(len(CLEAN))])
def test_similar_text_is_no_leak(ledger: Ledger, text: str) -> None:
    assert list(Search(ledger.used.values()).leaks([("a log", text)])) == []


class TestResponses:
    def test_secrets_that_a_response_hands_out_are_recorded_and_not_leaks(self, ledger: Ledger) -> None:
        body = {"secret": SECRET[::-1], "qrCode": QR_CODE[::-1], "backupCodes": ["ZZZZ-0000"]}
        ledger.add_answer("a route", 200, {"X-Id": "1"}, json.dumps(body))
        kinds = {value: used.kind for value, used in ledger.used.items()}
        assert kinds[SECRET[::-1]] is Kind.SECRET
        assert kinds[QR_CODE[::-1]] is Kind.QR_CODE
        assert kinds["ZZZZ0000"] is Kind.BACKUP_CODE
        assert list(Search(ledger.used.values()).leaks(ledger.answers)) == []

    @pytest.mark.parametrize(
        ("status", "headers", "body"),
        [
            pytest.param(400, {}, {"error": "INVALID_CODE", "message": f"{TOTP_CODE} is wrong"}, id="error"),
            pytest.param(500, {}, SECRET, id="not JSON"),
            pytest.param(200, {}, {"verified": True, "code": BACKUP_CODE}, id="another member"),
            pytest.param(200, {"Location": f"/?secret={SECRET}"}, {"secret": SECRET}, id="header"),
            pytest.param(409, {}, {"secret": SECRET}, id="a secret in an error"),
        ],
    )
    def test_secrets_elsewhere_in_a_response_are_leaks(
        self, ledger: Ledger, status: int, headers: dict[str, str], body: object
    ) -> None:
        ledger.add_answer("a route", status, headers, body)
        (leak,) = Search(ledger.used.values()).leaks(ledger.answers)
        assert leak.place.startswith(f"the response {status} of a route to ")


@pytest.mark.parametrize(
    "body", [None, b"\xff", "[]", "{", '{"code":1}', '{"code":"12345"}', '{"code":"000000"}', "[" * 100_000]
)
def test_invalid_and_made_up_codes_and_tokens_are_not_recorded(body: object) -> None:
    used = Ledger()
    used.add_request(body)
    used.add_token("a.b.c")
    assert used.used == {}


LEAKING_TESTS = """
import json, logging
from tests.support.leaks import IN_PROCESS

@IN_PROCESS.watching
def handler(event, _):
    body = {"message": json.loads(event["body"])["code"]} if event else {"secret": "SECRET"}
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

def test_quiet():
    handler({}, None)
    print("nothing")
"""


def test_a_test_that_prints_logs_or_returns_a_secret_fails(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(LEAKING_TESTS.replace("SECRET", SECRET))
    plugins = ["-p", "tests.support.leak_watch", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-rN", "--rootdir", tmp_path, "-c", "/dev/null", tmp_path],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    heading = re.compile(r"_ ERROR at teardown of test_(\w+) _+\n.*must stay secret: (.*)\n")
    leak = "1 x TOTP secret"
    expected = {"printed": leak, "read": leak, "logged": leak, "answered": "1 x TOTP code"}
    assert dict(heading.findall(done.stdout)) == expected
    assert "5 passed, 4 errors" in done.stdout
