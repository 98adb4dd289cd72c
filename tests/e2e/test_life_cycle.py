"""The life cycle of a second factor on the deployed stack."""

import time
from typing import Any

import pytest

from functions.shared.contract import DISABLE, ENDPOINTS, STATUS, VERIFY, Endpoint
from local.stack import Stack
from tests.support.http_user import NewUser
from tests.support.life_cycle import Answer
from tests.support.stack import Api, Aws


def without_proof(answer: Answer) -> dict[str, Any]:
    """Return a body without the two members that proofs add; the local environment has them on."""
    assert {"proof", "proofExpiresAt"} <= answer.body.keys()
    return {name: value for name, value in answer.body.items() if not name.startswith("proof")}


def test_from_setup_to_setup_again(new_user: NewUser) -> None:
    user = new_user("life-cycle@example.com")
    user.fresh_time_step()
    assert user.call(STATUS).body["state"] == "DISABLED"

    assert user.setup().status == 200
    assert user.call(STATUS).body["state"] == "PENDING"
    enrolling = user.code(steps=-1)
    assert user.verify_setup(enrolling).status == 200
    assert user.call(STATUS).body["state"] == "ENABLED"
    assert user.verify(enrolling).error == "INVALID_CODE"

    verified = user.verify()
    assert without_proof(verified) == {"verified": True, "method": "totp", "backupCodesRemaining": 8}
    backup = user.verify_backup(user.backup_codes[0])
    assert without_proof(backup) == {"verified": True, "method": "backup_code", "backupCodesRemaining": 7}
    assert user.verify_backup(user.backup_codes[0]).error == "INVALID_CODE"

    old = user.backup_codes
    assert user.regenerate(user.code(steps=1)).status == 200
    assert user.verify_backup(old[1]).error == "INVALID_CODE"
    assert user.verify_backup(user.backup_codes[0]).status == 200

    assert user.setup().error == "MFA_ALREADY_ENABLED"
    assert user.disable(backupCode=user.backup_codes[1]).body == {"enabled": False}
    assert user.item() == {}
    assert user.verify().error == "MFA_NOT_ENABLED"
    assert user.setup().status == 200
    assert user.verify_setup().status == 200


def test_a_lock_ends_after_a_minute(new_user: NewUser) -> None:
    user = new_user("lock-out@example.com")
    user.enrol()
    for _ in range(5):
        assert user.verify(user.wrong_code()).error == "INVALID_CODE"
    locked = user.verify()
    assert (locked.status, locked.error) == (429, "TOO_MANY_ATTEMPTS")
    wait = int(locked.headers["Retry-After"])
    assert 50 <= wait <= 60
    assert user.call(STATUS).body["lockedUntil"] is not None
    assert user.verify_backup(user.backup_codes[0]).status == 200

    # A minute passes.
    user.set(last_failed_at={"S": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))})
    user.fresh_time_step()
    assert user.verify().status == 200


def test_retry_after_is_long_enough(new_user: NewUser) -> None:
    user = new_user("retry-after@example.com")
    user.enrol()
    user.set(
        failed_attempts={"N": "5"},
        last_failed_at={"S": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 54))},
    )
    locked = user.verify()
    assert locked.status == 429
    time.sleep(int(locked.headers["Retry-After"]))
    assert user.verify().status == 200


def test_every_route_refuses_without_a_token(api: Api) -> None:
    for route in ENDPOINTS:
        answer = api.request(route.method, route.path)
        assert (answer.status, answer.json()["error"]) == (401, "UNAUTHORIZED"), route


@pytest.mark.parametrize("route", [VERIFY, DISABLE], ids=lambda route: route.function)
def test_a_body_over_the_limit_is_refused(new_user: NewUser, route: Endpoint) -> None:
    answer = new_user("long-body@example.com").call(route, {"code": "1" * 5000})
    assert (answer.status, answer.error) == (400, "VALIDATION_ERROR")


def test_a_disabled_key_is_a_503_on_every_route_that_opens_a_secret(new_user: NewUser, stack: Stack, aws: Aws) -> None:
    user = new_user("kms-disabled@example.com")
    user.enrol()
    before = user.item()
    kms = aws.client("kms")
    kms.disable_key(KeyId=stack.key_arn)
    try:
        answers = [user.verify(), user.disable(), user.regenerate(), user.verify_backup(user.backup_codes[0])]
        assert user.call(STATUS).status == 200
    finally:
        kms.enable_key(KeyId=stack.key_arn)
    assert [(answer.status, answer.error) for answer in answers] == [(503, "SERVICE_UNAVAILABLE")] * 4
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert user.item() == before
    assert user.verify_backup(user.backup_codes[0]).status == 200
