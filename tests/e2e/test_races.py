"""Concurrent requests to the deployed stack: one conditional write wins, and the others learn nothing."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from functions.shared.contract import FREE_ATTEMPTS, VERIFY
from tests.support.http_user import HttpUser, NewUser
from tests.support.life_cycle import Answer

PARALLEL = 10
REQUESTS = 40


def together(*calls: Callable[[], Answer]) -> list[Answer]:
    """Make calls in parallel and return their responses in the same order."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def outcomes(answers: list[Answer]) -> Counter[str]:
    return Counter("OK" if answer.status == 200 else str(answer.error) for answer in answers)


@pytest.fixture(scope="module", autouse=True)
def _warm(new_user: NewUser) -> Iterator[None]:
    """Start the workers, so that requests really run at the same time."""
    user = new_user("race-warm@example.com")
    user.enrol()
    together(*[user.verify] * (2 * PARALLEL))
    yield
    user.forget()


@pytest.fixture
def user(new_user: NewUser, request: pytest.FixtureRequest) -> HttpUser:
    enrolled = new_user(f"race-{request.node.name[:40]}@example.com")
    enrolled.fresh_time_step()
    enrolled.enrol()
    return enrolled


def failures(user: HttpUser) -> int:
    return int(user.item()["failed_attempts"]["N"])


def test_parallel_wrong_guesses_cost_no_more_than_the_free_attempts(user: HttpUser) -> None:
    answers = together(*[lambda: user.verify(user.wrong_code())] * REQUESTS)
    seen = outcomes(answers)
    assert set(seen) <= {"INVALID_CODE", "CONFLICT", "TOO_MANY_ATTEMPTS"}
    # Every guess that was refused as wrong was counted, until the lock.
    assert seen["INVALID_CODE"] == failures(user) == FREE_ATTEMPTS
    assert user.verify().error == "TOO_MANY_ATTEMPTS"


def test_one_totp_code_is_good_for_one_login(user: HttpUser) -> None:
    code = user.code()
    seen = outcomes(together(*[lambda: user.verify(code)] * REQUESTS))
    assert seen["OK"] == 1
    assert set(seen) <= {"OK", "INVALID_CODE", "CONFLICT", "TOO_MANY_ATTEMPTS"}


def test_one_backup_code_is_good_for_one_login(user: HttpUser) -> None:
    code = user.backup_codes[0]
    seen = outcomes(together(*[lambda: user.verify_backup(code)] * REQUESTS))
    assert seen["OK"] == 1
    assert len(user.item()["backup_codes"]["L"]) == 7
    assert len(user.item()["backup_codes_used"]["L"]) == 1


def test_eight_backup_codes_at_once_are_each_spent_at_most_once(user: HttpUser) -> None:
    codes = user.backup_codes
    answers = together(*[lambda code=code: user.verify_backup(code) for code in codes * 4])
    accepted = outcomes(answers)["OK"]
    item = user.item()
    assert len(item["backup_codes_used"]["L"]) == accepted
    assert len(item["backup_codes"]["L"]) == 8 - accepted
    assert accepted >= 1


def test_setup_racing_verify_setup_never_enables_another_secret(new_user: NewUser) -> None:
    for attempt in range(6):
        user = new_user("race-setup@example.com")
        user.setup()
        secret, code = user.secret, user.code()
        confirmed, *_ = together(
            lambda user=user, code=code: user.verify_setup(code),  # type: ignore[misc]
            user.setup,
            user.setup,
        )
        item = user.item()
        if item["status"]["S"] == "ENABLED":
            assert confirmed.status == 200, attempt
            # The enabled secret is the confirmed one: its next code logs in.
            item_secret_code = pyotp.TOTP(secret).at(int(time.time()) + 30)
            assert user.verify(item_secret_code).status == 200
        else:
            assert confirmed.error in ("CONFLICT", "INVALID_CODE")


def test_both_kinds_of_factor_at_once_lose_no_count(user: HttpUser) -> None:
    answers = together(
        *[lambda: user.verify(user.wrong_code()), lambda: user.call(VERIFY, {"backupCode": "AAAA-0000"})] * 10
    )
    item = user.item()
    counted = int(item.get("failed_attempts", {"N": "0"})["N"]) + int(
        item.get("backup_failed_attempts", {"N": "0"})["N"]
    )
    assert outcomes(answers)["INVALID_CODE"] == counted
