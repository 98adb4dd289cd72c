"""``POST /auth/mfa/setup`` on the deployed stack."""

import base64
import io
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
import zxingcpp
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from botocore.exceptions import ClientError
from PIL import Image

from functions.shared.contract import PENDING_MAX_FAILURES
from local.stack import Stack
from local.users import TokenKind
from tests.support.http_user import HttpUser
from tests.support.stack import Answer, Api, Aws

SETUP_PATH = "/auth/mfa/setup"
ISO_Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

type NewUser = Callable[[str], HttpUser]
type TokenFor = Callable[..., str]


def scanned(qr_code: str) -> str:
    """Return the text of the QR code in a data URI."""
    prefix, data = qr_code.split(",")
    assert prefix == "data:image/png;base64"
    (barcode,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(data))))
    return str(barcode.text)


def assert_contract_headers(answer: Answer) -> None:
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def assert_unauthorized(answer: Answer) -> None:
    """Expect exactly the 401 of the contract."""
    body = answer.json()
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert_contract_headers(answer)
    assert set(body) == {"error", "message", "request_id", "timestamp"}
    assert (body["error"], body["message"]) == ("UNAUTHORIZED", "User authentication required")
    assert ISO_Z.fullmatch(body["timestamp"])
    assert body["request_id"] == answer.headers["x-amzn-RequestId"]


def test_the_qr_code_and_the_secret_make_the_same_codes(new_user: NewUser, oathtool: str) -> None:
    user = new_user("setup-qr@example.com")
    answer = user.setup()

    assert answer.status == 200
    assert set(answer.body) == {"secret", "qrCode"}
    uri = scanned(answer.body["qrCode"])
    assert uri == (
        f"otpauth://totp/AILifestyle:setup-qr-at-example.com?secret={answer.body['secret']}&issuer=AILifestyle"
    )
    app = pyotp.parse_uri(uri)
    assert isinstance(app, pyotp.TOTP)
    now = int(time.time())
    command = [oathtool, "--totp", "--base32", f"--now=@{now}", answer.body["secret"]]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == app.at(now)


def test_an_id_token_is_no_access_token(api: Api, token_for: TokenFor) -> None:
    assert_unauthorized(api.request("POST", SETUP_PATH, token=token_for("setup-id@example.com", TokenKind.ID)))


@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/mfa/nothing"), ("DELETE", SETUP_PATH), ("GET", "/")])
def test_a_wrong_path_or_method_is_a_404_with_the_contracts_body(api: Api, method: str, path: str) -> None:
    answer = api.request(method, path)
    assert answer.status == 404
    assert set(answer.json()) == {"error", "message", "request_id", "timestamp"}
    assert_contract_headers(answer)


def test_a_body_is_ignored(new_user: NewUser, api: Api) -> None:
    user = new_user("setup-body@example.com")
    for content in (b"{not json", b'{"secret":"JBSWY3DPEHPK3PXP"}', b"x" * 5000):
        answer = api.request("POST", SETUP_PATH, token=user.token, content=content)
        assert answer.status == 200
        assert answer.json()["secret"] != "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize("stored_status", ["ENABLED", None])
def test_when_enabled_it_answers_the_409_of_the_seed(new_user: NewUser, stored_status: str | None) -> None:
    user = new_user(f"setup-409-{stored_status}@example.com")
    user.setup()
    if stored_status is None:
        user.remove("status")
    else:
        user.set(status={"S": stored_status})
    before = user.item()

    answer = user.setup()

    assert answer.status == 409
    assert ISO_Z.fullmatch(answer.body.pop("timestamp"))
    assert answer.body.pop("request_id") == answer.headers["x-amzn-RequestId"]
    assert answer.body == {"error": "MFA_ALREADY_ENABLED", "message": "MFA is already enabled for this account"}
    assert user.item() == before


def test_concurrent_setups_leave_one_whole_enrolment(new_user: NewUser) -> None:
    user = new_user("setup-race@example.com")
    # Fewer than the wrong codes that discard an enrolment, because all of their codes are tried below.
    count = PENDING_MAX_FAILURES - 1
    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(lambda _: user.setup(), range(count)))
    assert [answer.status for answer in answers] == [200] * count
    outcomes = [user.verify_setup(pyotp.TOTP(answer.body["secret"]).now()).status for answer in answers]
    assert outcomes.count(200) == 1


def test_a_disabled_key_is_a_503_that_changes_nothing_and_passes(new_user: NewUser, stack: Stack, aws: Aws) -> None:
    user = new_user("setup-kms@example.com")
    kms = aws.client("kms")
    kms.disable_key(KeyId=stack.key_arn)
    try:
        answer = user.setup()
    finally:
        kms.enable_key(KeyId=stack.key_arn)
    assert (answer.status, answer.error) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    assert user.item() == {}
    assert user.setup().status == 200


def test_its_role_cannot_open_what_it_stored(new_user: NewUser, aws: Aws) -> None:
    user = new_user("setup-role@example.com")
    user.setup()
    header, _ = deserialize_header(io.BytesIO(base64.b64decode(user.item()["encrypted_secret"]["S"])))
    (data_key,) = header.encrypted_data_keys
    call = {"CiphertextBlob": data_key.encrypted_data_key, "EncryptionContext": header.encryption_context}

    assert aws.client_as("verify_mfa", "kms").decrypt(**call)["Plaintext"]
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.client_as("setup_mfa", "kms").decrypt(**call)
