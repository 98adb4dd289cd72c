"""``GET /auth/mfa`` through its handler."""

import pytest

from functions.shared.contract import STATUS
from tests.support.aws_calls import refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import User

OFF = {
    "enabled": False,
    "state": "DISABLED",
    "enabledAt": None,
    "pendingExpiresAt": None,
    "lockedUntil": None,
    "backupCodesRemaining": 0,
}


def test_follows_the_life_of_a_second_factor(user: User) -> None:
    assert user.status() == OFF
    user.setup()
    assert user.status() == {**OFF, "state": "PENDING", "pendingExpiresAt": "2027-01-15T08:10:15Z"}
    user.verify_setup()
    on = {
        **OFF,
        "enabled": True,
        "state": "ENABLED",
        "enabledAt": "2027-01-15T08:00:15Z",
        "backupCodesRemaining": 8,
    }
    assert user.status() == on
    user.verify_backup(user.backup_codes[0])
    assert user.status() == {**on, "backupCodesRemaining": 7}
    user.wait()
    user.disable()
    assert user.status() == OFF


def test_needs_no_key(enrolled: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MFA_ENCRYPTION_KEY")
    assert User(enrolled.load, now=enrolled.now).status()["enabled"] is True


def test_fails_closed(aws: EmbeddedAws, enrolled: User) -> None:
    with aws.calls.recorded({"dynamodb:GetItem": refused("ResourceNotFoundException")}):
        assert enrolled.call(STATUS).status == 503
