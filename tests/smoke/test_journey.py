"""The smoke test finds what is wrong, cleans up after itself, and tells no secret."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest

from functions.shared.contract import BACKUP_CODES, DISABLE, ENDPOINTS, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from tests.smoke.__main__ import main
from tests.smoke.journey import Journey, SmokeError
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import START, Answer, User

FAILED = Answer(500, {"error": "INTERNAL_ERROR", "request_id": "request-1"}, {})


@dataclass
class Faulty:
    """Answers a route wrongly, from its first call on or from a later one."""

    route: Endpoint
    answer: Answer = field(default_factory=lambda: FAILED)
    after: int = 0
    #: Whether the request is carried out all the same, and only its answer is lost.
    carried_out: bool = False


@dataclass
class World:
    """A user with the real handlers behind, what was told, and how long was slept."""

    user: User
    told: list[str] = field(default_factory=list)
    slept: float = 0

    def break_down(self, fault: Faulty) -> None:
        call = self.user.call
        calls = 0

        def faulty(route: Endpoint, body: Any = None) -> Answer:
            nonlocal calls
            if route != fault.route:
                return call(route, body)
            calls += 1
            answer = call(route, body) if calls <= fault.after or fault.carried_out else fault.answer
            return answer if calls <= fault.after else fault.answer

        self.user.call = faulty  # type: ignore[method-assign]

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.user.wait(seconds)

    def run(self) -> None:
        Journey(self.user, self.told.append, self.sleep).run()


@pytest.fixture
def world(load_handler: Callable[[str], ModuleType]) -> World:
    user = User(load_handler, now=START - START % 30 + 3)
    return World(user)


def test_a_good_deployment_passes_without_waiting(world: World, aws: EmbeddedAws) -> None:
    world.run()

    assert world.slept == 0
    assert aws.item("user-1") is None
    assert not [line for line in world.told if "FAILED" in line]


def test_a_time_step_that_is_nearly_over_is_waited_for(world: World) -> None:
    world.user.now += 25

    world.run()

    assert 0 < world.slept < 5


@pytest.mark.parametrize(
    ("route", "after"),
    [
        *(pytest.param(route, 0, id=route.function) for route in ENDPOINTS),
        *(pytest.param(route, 1, id=f"{route.function}-later") for route in (STATUS, SETUP, VERIFY_SETUP, VERIFY)),
    ],
)
def test_a_route_that_fails_is_found_and_mfa_is_off_afterwards(
    world: World, aws: EmbeddedAws, route: Endpoint, after: int
) -> None:
    # A disable route that fails once must not keep the user from being cleaned up: that is another test.
    world.break_down(Faulty(route, after=after))

    with pytest.raises(SmokeError):
        world.run()

    item = aws.item("user-1")
    assert route == DISABLE or item is None or item["status"]["S"] == "PENDING"
    assert [line for line in world.told if "FAILED" in line]


def test_an_enrolment_whose_answer_was_lost_is_ended(world: World, aws: EmbeddedAws) -> None:
    """No backup codes are known then: a code of a time step that is surely unused does it."""
    world.break_down(Faulty(VERIFY_SETUP, after=1, carried_out=True))

    with pytest.raises(SmokeError, match="expected 200"):
        world.run()

    assert aws.item("user-1") is None


def test_a_second_factor_that_stays_on_is_told(world: World) -> None:
    world.break_down(Faulty(DISABLE))

    with pytest.raises(SmokeError, match="MFA stays on"):
        world.run()


def test_a_user_whose_second_factor_is_on_is_left_alone(world: World, aws: EmbeddedAws) -> None:
    world.user.enrol()
    before = aws.item("user-1")

    with pytest.raises(SmokeError, match="disposable"):
        world.run()

    assert aws.item("user-1") == before


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (Faulty(VERIFY, Answer(200, {"backupCodesRemaining": 8}, {})), "expected INVALID_CODE, got 200"),
        (Faulty(BACKUP_CODES, Answer(200, {"backupCodes": ["ABCD-1234"] * 8}, {})), "not 8 different"),
        (Faulty(STATUS, Answer(200, {"state": "DISABLED", "enabled": True}, {})), "still on"),
        (Faulty(DISABLE, Answer(200, {"enabled": False}, {})), "expected MFA_NOT_ENABLED, got 400"),
    ],
    ids=["replay", "codes", "status", "disable"],
)
def test_a_lie_is_found(world: World, fault: Faulty, found: str) -> None:
    world.break_down(replace(fault))

    with pytest.raises(SmokeError, match=found):
        world.run()


@pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)
def test_neither_what_is_told_nor_an_error_holds_a_secret(world: World, route: Endpoint) -> None:
    leaky = {"error": "INTERNAL_ERROR", "message": "SECRET-SECRET", "secret": "SECRET-SECRET"}
    world.break_down(Faulty(route, Answer(500, leaky, {})))

    with pytest.raises(SmokeError) as error:
        world.run()

    said = "\n".join([*world.told, str(error.value)])
    for secret in ("SECRET-SECRET", world.user.secret or "SECRET-SECRET", *world.user.backup_codes):
        assert secret not in said


def test_a_deployment_that_cannot_be_reached_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    token = base64.b64encode(json.dumps({"sub": "x"}).encode()).decode()

    assert main(["--api-url", "http://127.0.0.1:9/v1", "--token", token]) == 1

    captured = capsys.readouterr()
    assert captured.err == "error: 127.0.0.1 cannot be reached: NewConnectionError\n"
    assert token not in captured.out


def test_a_token_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--api-url", "http://127.0.0.1:9/v1"])

    assert "MFA_SMOKE_TOKEN" in capsys.readouterr().err
