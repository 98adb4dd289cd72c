"""Requests to every route that calls AWS: the state before, the AWS calls, and the user's next step.

Faults and crashes are tried on each of the calls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.contract import BACKUP_CODES, DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, Attribute, Endpoint
from tests.support.life_cycle import Answer, Caller

READ: Final = "dynamodb:GetItem"
OPEN: Final = "kms:Decrypt"
SWAP: Final = "dynamodb:UpdateItem"


@dataclass(frozen=True)
class Scenario:
    """A request of a user."""

    name: str
    route: Endpoint
    calls: tuple[str, ...]  # the AWS calls that the route makes, in order
    prepare: Callable[[Caller], None]  # brings a user with nothing stored into the state before the request
    act: Callable[[Caller], Answer]  # sends the request
    #: Takes the user's next step after the response was lost, and returns its description; its second argument is
    #: whether the request was carried out.
    recover: Callable[[Caller, bool], str]
    status: int = 200  # of the response without a fault
    writes: bool = True  # whether the last AWS call writes


def _nothing(user: Caller) -> None:
    user.secret = ""


def _enrolment(user: Caller) -> None:
    assert user.setup().status == 200


def _after_setup(user: Caller, done: bool) -> str:
    assert user.setup().status == 200
    assert user.verify_setup().status == 200
    return "calls setup again, which replaces the enrolment" if done else "calls setup again"


def _after_verify_setup(user: Caller, done: bool) -> str:
    if not done:
        assert user.verify_setup(user.code(steps=1)).status == 200
        assert user.verify_backup(user.backup_codes[0]).status == 200
        return "confirms with the next code"
    # The backup codes were never shown: new ones replace them.
    assert user.setup().error == "MFA_ALREADY_ENABLED"
    assert user.regenerate(user.code(steps=1)).status == 200
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "gets new backup codes with the next code"


def _after_totp(user: Caller, _done: bool) -> str:
    assert user.verify(user.code(steps=1)).status == 200
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "logs in with the next code"


def _after_backup_code(user: Caller, done: bool) -> str:
    if done:
        assert user.verify_backup(user.backup_codes[0]).error == "INVALID_CODE"
        assert user.verify_backup(user.backup_codes[1]).status == 200
        return "logs in with another backup code"
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "logs in with the same backup code"


def _after_disable(user: Caller, done: bool) -> str:
    if not done:
        assert user.disable(code=user.code(steps=1)).status == 200
        return "turns MFA off with the next code"
    assert user.disable().error == "MFA_NOT_ENABLED"
    user.enrol()
    assert user.verify().status == 200
    return "finds MFA off, and enrols again"


def _after_backup_codes(user: Caller, done: bool) -> str:
    old = user.backup_codes
    if not done:
        assert user.verify_backup(old[0]).status == 200
    assert user.regenerate(user.code(steps=1)).status == 200
    assert user.verify_backup(old[1]).error == "INVALID_CODE"
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "gets new backup codes with the next code"


def _after_status(user: Caller, _done: bool) -> str:
    assert user.call(STATUS).status == 200
    return "tries again"


SCENARIOS: Final = (
    Scenario("setup", SETUP, ("kms:GenerateDataKey", "dynamodb:PutItem"), _nothing, Caller.setup, _after_setup),
    Scenario(
        "verify-setup",
        VERIFY_SETUP,
        (READ, OPEN, SWAP),
        _enrolment,
        lambda user: user.verify_setup(),
        _after_verify_setup,
    ),
    Scenario(
        "verify-setup, wrong code",
        VERIFY_SETUP,
        (READ, OPEN, SWAP),
        _enrolment,
        lambda user: user.verify_setup(user.wrong_code()),
        lambda user, _done: _after_verify_setup(user, False),
        status=400,
    ),
    Scenario("verify", VERIFY, (READ, OPEN, SWAP), Caller.enrol, lambda user: user.verify(), _after_totp),
    Scenario(
        "verify, wrong code",
        VERIFY,
        (READ, OPEN, SWAP),
        Caller.enrol,
        lambda user: user.verify(user.wrong_code()),
        _after_totp,
        status=400,
    ),
    Scenario(
        "verify, backup code",
        VERIFY,
        (READ, OPEN, SWAP),
        Caller.enrol,
        lambda user: user.verify_backup(user.backup_codes[0]),
        _after_backup_code,
    ),
    Scenario(
        "disable",
        DISABLE,
        (READ, OPEN, "dynamodb:DeleteItem"),
        Caller.enrol,
        lambda user: user.disable(),
        _after_disable,
    ),
    Scenario(
        "backup-codes",
        BACKUP_CODES,
        (READ, OPEN, SWAP),
        Caller.enrol,
        lambda user: user.call(BACKUP_CODES, {"code": user.code()}),
        _after_backup_codes,
    ),
    Scenario("status", STATUS, (READ,), Caller.enrol, lambda user: user.call(STATUS), _after_status, writes=False),
)


def failures(item: dict[str, Any]) -> tuple[int, int]:
    """Return the failed attempts in a stored item: with TOTP codes, and with backup codes."""
    totp, backup = (
        int(item.get(name, {"N": "0"})["N"]) for name in (Attribute.FAILED_ATTEMPTS, Attribute.BACKUP_FAILED_ATTEMPTS)
    )
    return totp, backup


def promised_failures(scenario: Scenario, changed: bool) -> tuple[int, int]:
    """Return the failed attempts that a request must leave: one if it sent a wrong code and wrote, else none."""
    return (1, 0) if scenario.status == 400 and changed else (0, 0)
