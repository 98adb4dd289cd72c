"""``POST /auth/mfa/setup`` on the deployed stack."""

import base64
import io
import re
from collections.abc import Callable

import pytest
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from botocore.exceptions import ClientError

from local.users import TokenKind
from tests.support.http_user import NewUser
from tests.support.stack import Api, Aws, HttpResponse

SETUP_PATH = "/auth/mfa/setup"
ISO_Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

type TokenFor = Callable[..., str]


def assert_contract_headers(answer: HttpResponse) -> None:
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def assert_unauthorized(answer: HttpResponse) -> None:
    """Expect exactly the 401 of the contract."""
    body = answer.json()
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert_contract_headers(answer)
    assert set(body) == {"error", "message", "request_id", "timestamp"}
    assert (body["error"], body["message"]) == ("UNAUTHORIZED", "User authentication required")
    assert ISO_Z.fullmatch(body["timestamp"])
    assert body["request_id"] == answer.headers["x-amzn-RequestId"]


def test_an_id_token_is_no_access_token(api: Api, token_for: TokenFor) -> None:
    assert_unauthorized(api.request("POST", SETUP_PATH, token=token_for("setup-id@example.com", TokenKind.ID)))


def test_a_body_is_ignored(new_user: NewUser, api: Api) -> None:
    user = new_user("setup-body@example.com")
    for content in (b"{not json", b'{"secret":"JBSWY3DPEHPK3PXP"}', b"x" * 5000):
        answer = api.request("POST", SETUP_PATH, token=user.token, content=content)
        assert answer.status == 200
        assert answer.json()["secret"] != "JBSWY3DPEHPK3PXP"


def test_its_role_cannot_open_what_it_stored(new_user: NewUser, aws: Aws) -> None:
    user = new_user("setup-role@example.com")
    user.setup()
    header, _ = deserialize_header(io.BytesIO(base64.b64decode(user.item()["encrypted_secret"]["S"])))
    (data_key,) = header.encrypted_data_keys
    call = {"CiphertextBlob": data_key.encrypted_data_key, "EncryptionContext": header.encryption_context}

    assert aws.client_as("verify_mfa", "kms").decrypt(**call)["Plaintext"]
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.client_as("setup_mfa", "kms").decrypt(**call)
