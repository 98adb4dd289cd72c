"""API Gateway lets callers choose their request id (`X-Amzn-RequestId`): it must not identify a write."""

from collections.abc import Callable

import pytest

from functions.shared.contract import BACKUP_CODES, DISABLE, VERIFY, VERIFY_SETUP, Endpoint
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import Answer, User

type Race = Callable[[Endpoint, dict[str, str], dict[str, str]], tuple[Answer, Answer]]


@pytest.fixture
def race(aws: EmbeddedAws, user: User) -> Race:
    """Return a function that sends two requests with one id, the second between the first one's read and its write."""

    def run(route: Endpoint, body: dict[str, str], other: dict[str, str]) -> tuple[Answer, Answer]:
        twin = User(user.load, now=user.now, secret=user.secret)
        twin.requests = user.requests
        answers: list[Answer] = []
        with aws.calls.before("kms:Decrypt", lambda: answers.append(twin.call(route, other))):
            first = user.call(route, body)
        assert twin.requests == user.requests
        return first, answers[0]

    return run


@pytest.mark.parametrize(("field", "remaining"), [("code", 8), ("backupCode", 7)])
def test_one_code_and_one_request_id_log_in_once(race: Race, enrolled: User, field: str, remaining: int) -> None:
    code = {field: enrolled.code() if field == "code" else enrolled.backup_codes[0]}
    late, early = race(VERIFY, code, code)
    assert early.status == 200
    assert (late.status, late.error) == (409, "CONFLICT")
    assert enrolled.status()["backupCodesRemaining"] == remaining


@pytest.mark.parametrize("route", [VERIFY, DISABLE, BACKUP_CODES], ids=lambda route: route.function)
def test_guesses_with_one_request_id_are_one_guess(
    aws: EmbeddedAws, race: Race, enrolled: User, route: Endpoint
) -> None:
    """Otherwise any number of parallel guesses would cost one attempt, and each would learn whether it was right."""
    late, early = race(route, {"code": enrolled.code()}, {"code": enrolled.wrong_code()})
    assert early.error == "INVALID_CODE"
    assert (late.status, late.error) == (409, "CONFLICT")
    assert aws.item("user-1")["failed_attempts"] == {"N": "1"}


def test_a_wrong_guess_that_lost_does_not_learn_that_it_was_wrong(race: Race, enrolled: User) -> None:
    wrong = {"code": enrolled.wrong_code()}
    late, early = race(VERIFY, wrong, wrong)
    assert (early.error, late.error) == ("INVALID_CODE", "CONFLICT")


def test_one_request_id_does_not_show_the_backup_codes_twice(race: Race, user: User) -> None:
    user.setup()
    code = {"code": user.code()}
    late, early = race(VERIFY_SETUP, code, code)
    assert early.status == 200
    assert (late.status, late.error) == (409, "CONFLICT")
