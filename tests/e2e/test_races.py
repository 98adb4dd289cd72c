"""Concurrent requests to the deployed stack: one conditional write wins, and the others learn nothing."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyotp
import pytest

from functions.shared.contract import FREE_ATTEMPTS, VERIFY
from tests.support.http_user import HttpUser
from tests.support.life_cycle import Answer

type NewUser = Callable[[str], HttpUser]

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


def test_a_loser_does_not_learn_that_its_code_was_right(user: HttpUser) -> None:
    """A right code among wrong ones either wins, or gets the same response as the others."""
    right = user.code()
    guesses = [user.wrong_code()] * (REQUESTS - 1)
    guesses.insert(REQUESTS // 2, right)
    answers = together(*[lambda code=code: user.verify(code) for code in guesses])
    seen = outcomes(answers)
    assert set(seen) <= {"OK", "INVALID_CODE", "CONFLICT", "TOO_MANY_ATTEMPTS"}
    assert seen["INVALID_CODE"] <= 2 * FREE_ATTEMPTS
    mine = answers[REQUESTS // 2]
    if mine.status != 200:
        assert mine.error in ("CONFLICT", "TOO_MANY_ATTEMPTS")
        same = next(answer for answer in answers if answer.error == mine.error and answer is not mine)
        assert shape(mine) == shape(same)


def shape(answer: Answer) -> tuple[int, dict[str, Any]]:
    """Return the parts of a response that could reveal something."""
    return answer.status, {name: value for name, value in answer.body.items() if name in ("error", "message")}


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


@pytest.mark.parametrize("kind", ["TOTP", "backup code"])
def test_a_code_that_is_sent_twice_at_once_does_not_count(user: HttpUser, kind: str) -> None:
    body = {"code": user.code()} if kind == "TOTP" else {"backupCode": user.backup_codes[0]}
    seen = outcomes(together(*[lambda: user.call(VERIFY, body)] * 2))
    assert seen["OK"] == 1
    assert set(seen) <= {"OK", "CONFLICT", "INVALID_CODE"}
    counters = ("failed_attempts", "backup_failed_attempts")
    assert all(int(user.item().get(name, {"N": "0"})["N"]) == 0 for name in counters)


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


def test_disable_racing_verify_has_one_outcome(user: HttpUser) -> None:
    code = user.code()
    disabled, *verified = together(lambda: user.disable(code=code), *[lambda: user.verify(code)] * 5)
    accepted = outcomes(verified)["OK"]
    if disabled.status == 200:
        assert accepted == 0  # the code was burned by one of them
        assert user.item() == {}
    else:
        assert disabled.error in ("CONFLICT", "INVALID_CODE", "TOO_MANY_ATTEMPTS")
        assert accepted == 1
        assert user.item()["status"]["S"] == "ENABLED"


def test_regenerate_racing_a_backup_code_login_has_one_outcome(user: HttpUser) -> None:
    old = user.backup_codes[0]
    code = user.code()
    regenerated, login = together(lambda: user.regenerate(code), lambda: user.verify_backup(old))
    item = user.item()
    remaining = len(item["backup_codes"]["L"])
    match regenerated.status, login.status:
        case 200, 200:  # first the login with the old code, then all codes were replaced
            assert remaining == 8
        case 200, _:
            assert login.error in ("CONFLICT", "INVALID_CODE")
            assert remaining == 8
        case _, 200:
            assert regenerated.error == "CONFLICT"
            assert remaining == 7
        case other:
            pytest.fail(f"both lost: {other}")
    if regenerated.status == 200:
        assert user.verify_backup(old).error == "INVALID_CODE"
        assert user.verify_backup(user.backup_codes[0]).status == 200


def test_confirming_an_enrolment_in_parallel_shows_the_codes_once(new_user: NewUser) -> None:
    user = new_user("race-confirm@example.com")
    user.fresh_time_step()
    user.setup()
    code = user.code()
    answers = together(*[lambda: user.verify_setup(code)] * 10)
    seen = outcomes(answers)
    assert seen["OK"] == 1
    assert set(seen) <= {"OK", "CONFLICT", "MFA_ALREADY_ENABLED"}


def test_both_kinds_of_factor_at_once_lose_no_count(user: HttpUser) -> None:
    answers = together(
        *[lambda: user.verify(user.wrong_code()), lambda: user.call(VERIFY, {"backupCode": "AAAA-0000"})] * 10
    )
    item = user.item()
    counted = int(item.get("failed_attempts", {"N": "0"})["N"]) + int(
        item.get("backup_failed_attempts", {"N": "0"})["N"]
    )
    assert outcomes(answers)["INVALID_CODE"] == counted
