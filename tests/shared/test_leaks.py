"""The search for leaks knows what the handlers receive and return."""

import base64
import contextlib
import io

import pyotp
import pytest

from functions.setup_mfa.service import qr_code_data_uri
from tests.support.leaks import IN_PROCESS, Kind, Search
from tests.support.life_cycle import User


def test_everything_that_a_life_cycle_uses_is_known(enrolled: User) -> None:
    code, backup_code = enrolled.code(), enrolled.backup_codes[0]
    enrolled.verify(code)
    enrolled.verify_backup(backup_code)
    used = IN_PROCESS.used
    assert used[enrolled.secret].kind is Kind.SECRET
    assert used[code].kind is Kind.TOTP_CODE
    assert used[backup_code.replace("-", "")].kind is Kind.BACKUP_CODE
    assert Kind.QR_CODE in {each.kind for each in used.values()}
    assert used["ada@example.com"].kind is Kind.LABEL


def test_a_function_that_prints_a_secret_is_seen(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leak in a function's own code. The output is searched here, because the watch does not see it."""

    def print_secret(text: str) -> str:
        print({"made": base64.b64encode(pyotp.parse_uri(text).secret.encode())})
        return qr_code_data_uri(text)

    monkeypatch.setattr("functions.setup_mfa.service.qr_code_data_uri", print_secret)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        user.setup()
    (leak,) = Search(IN_PROCESS.used.values()).leaks([("the log", printed.getvalue())])
    assert (leak.used.value, leak.form) == (user.secret, "in base64")
