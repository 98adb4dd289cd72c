"""Every way through every route that calls AWS: how to get there, the calls it makes, and what its user can do after.

Faults and crashes are tried on each of the calls. A `Caller` may be one of the deployed API or of the handlers.
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
    """A request of a user.

    Attributes
    ----------
    name : str
        For people.
    calls : tuple of str
        The AWS calls that the route makes for it, in their order.
    prepare : callable
        Brings a user there who has nothing stored.
    act : callable
        Sends the request.
    status : int
        What is answered when nothing fails.
    recover : callable
        Does, as the user, what is left to do after the request's answer was lost, and tells it. Told whether the
        request took effect.
    writes : bool
        Whether the last call writes.
    """

    name: str
    route: Endpoint
    calls: tuple[str, ...]
    prepare: Callable[[Caller], None]
    act: Callable[[Caller], Answer]
    recover: Callable[[Caller, bool], str]
    status: int = 200
    writes: bool = True


def _nothing(user: Caller) -> None:
    user.secret = ""


def _enrolment(user: Caller) -> None:
    assert user.setup().status == 200


def _enrolled(user: Caller) -> None:
    # The answers of the routes under attack may never come: what the user knows must not be of an earlier life.
    user.enrol()


def _after_setup(user: Caller, done: bool) -> str:
    assert user.setup().status == 200
    assert user.verify_setup().status == 200
    return "calls setup again, which replaces the enrolment whose secret was never shown" if done else "calls setup"


def _after_verify_setup(user: Caller, done: bool) -> str:
    if not done:
        assert user.verify_setup(user.code(steps=1)).status == 200
        assert user.verify_backup(user.backup_codes[0]).status == 200
        return "confirms with the same or the next code"
    # The app has the secret. The backup codes were never shown: new ones replace them.
    assert user.setup().error == "MFA_ALREADY_ENABLED"
    assert user.regenerate(user.code(steps=1)).status == 200
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "logs in with the app's next code, and gets backup codes by backup-codes"


def _after_totp(user: Caller, _done: bool) -> str:
    assert user.verify(user.code(steps=1)).status == 200
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "logs in with the next code"


def _after_backup_code(user: Caller, done: bool) -> str:
    if done:
        assert user.verify_backup(user.backup_codes[0]).error == "INVALID_CODE"
        assert user.verify_backup(user.backup_codes[1]).status == 200
        return "logs in with the next backup code, seven are left"
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "logs in with the same backup code"


def _after_disable(user: Caller, done: bool) -> str:
    if not done:
        assert user.disable(code=user.code(steps=1)).status == 200
        return "turns it off with the next code"
    assert user.disable().error == "MFA_NOT_ENABLED"
    user.enrol()
    assert user.verify().status == 200
    return "is told that it is off; can enrol anew"


def _after_backup_codes(user: Caller, done: bool) -> str:
    old = user.backup_codes
    if not done:
        assert user.verify_backup(old[0]).status == 200
    assert user.regenerate(user.code(steps=1)).status == 200
    assert user.verify_backup(old[1]).error == "INVALID_CODE"
    assert user.verify_backup(user.backup_codes[0]).status == 200
    return "logs in by the app, and makes new codes with its next one" if done else "uses the old codes, or tries again"


def _after_status(user: Caller, _done: bool) -> str:
    assert user.call(STATUS).status == 200
    return "asks again"


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
    Scenario("verify", VERIFY, (READ, OPEN, SWAP), _enrolled, lambda user: user.verify(), _after_totp),
    Scenario(
        "verify, wrong code",
        VERIFY,
        (READ, OPEN, SWAP),
        _enrolled,
        lambda user: user.verify(user.wrong_code()),
        _after_totp,
        status=400,
    ),
    Scenario(
        "verify, backup code",
        VERIFY,
        (READ, OPEN, SWAP),
        _enrolled,
        lambda user: user.verify_backup(user.backup_codes[0]),
        _after_backup_code,
    ),
    Scenario(
        "disable",
        DISABLE,
        (READ, OPEN, "dynamodb:DeleteItem"),
        _enrolled,
        lambda user: user.disable(),
        _after_disable,
    ),
    Scenario(
        "backup-codes",
        BACKUP_CODES,
        (READ, OPEN, SWAP),
        _enrolled,
        lambda user: user.call(BACKUP_CODES, {"code": user.code()}),
        _after_backup_codes,
    ),
    Scenario("status", STATUS, (READ,), _enrolled, lambda user: user.call(STATUS), _after_status, writes=False),
)


def failures(item: dict[str, Any]) -> tuple[int, int]:
    """Return the attempts that a stored item counts: of TOTP codes, and of backup codes."""
    totp, backup = (
        int(item.get(name, {"N": "0"})["N"]) for name in (Attribute.FAILED_ATTEMPTS, Attribute.BACKUP_FAILED_ATTEMPTS)
    )
    return totp, backup


def promised_failures(scenario: Scenario, changed: bool) -> tuple[int, int]:
    """Return the attempts that may be counted once a request has ended, well or badly: its own, if it was judged."""
    return (1, 0) if scenario.status == 400 and changed else (0, 0)
