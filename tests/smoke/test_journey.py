"""The smoke test finds errors, cleans up, and prints no secret."""

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
    """A wrong response of a route, from its first call on or after some calls."""

    route: Endpoint
    answer: Answer = field(default_factory=lambda: FAILED)
    after: int = 0
    #: Whether the request is carried out, and only its response is wrong.
    carried_out: bool = False


@dataclass
class World:
    """A user of the real handlers, the printed lines, and the time slept."""

    user: User
    shown: list[str] = field(default_factory=list)
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
        Journey(self.user, self.shown.append, self.sleep).run()


@pytest.fixture
def world(load_handler: Callable[[str], ModuleType]) -> World:
    user = User(load_handler, now=START - START % 30 + 3)
    return World(user)


def test_a_correct_deployment_passes_without_waiting(world: World, aws: EmbeddedAws) -> None:
    world.run()

    assert world.slept == 0
    assert aws.item("user-1") == {}
    assert not [line for line in world.shown if "FAILED" in line]


def test_the_end_of_a_short_time_step_is_awaited(world: World) -> None:
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
    # After a failure of disable itself the user may stay enrolled.
    world.break_down(Faulty(route, after=after))

    with pytest.raises(SmokeError):
        world.run()

    item = aws.item("user-1")
    assert route == DISABLE or item.get("status") in (None, {"S": "PENDING"})
    assert [line for line in world.shown if "FAILED" in line]


def test_an_enrolment_is_cleaned_up_after_a_lost_response(world: World, aws: EmbeddedAws) -> None:
    """The backup codes are unknown, so a later time step's code is used."""
    world.break_down(Faulty(VERIFY_SETUP, after=1, carried_out=True))

    with pytest.raises(SmokeError, match="expected 200"):
        world.run()

    assert aws.item("user-1") == {}


def test_a_failed_clean_up_is_reported(world: World) -> None:
    world.break_down(Faulty(DISABLE))

    with pytest.raises(SmokeError, match="MFA stays on"):
        world.run()


def test_a_user_with_mfa_on_is_left_unchanged(world: World, aws: EmbeddedAws) -> None:
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
def test_a_wrong_success_is_found(world: World, fault: Faulty, found: str) -> None:
    world.break_down(replace(fault))

    with pytest.raises(SmokeError, match=found):
        world.run()


@pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)
def test_output_and_errors_contain_no_secret(world: World, route: Endpoint) -> None:
    leaky = {"error": "INTERNAL_ERROR", "message": "SECRET-SECRET", "secret": "SECRET-SECRET"}
    world.break_down(Faulty(route, Answer(500, leaky, {})))

    with pytest.raises(SmokeError) as error:
        world.run()

    said = "\n".join([*world.shown, str(error.value)])
    for secret in ("SECRET-SECRET", world.user.secret or "SECRET-SECRET", *world.user.backup_codes):
        assert secret not in said


def test_an_unreachable_deployment_is_an_error_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    token = base64.b64encode(json.dumps({"sub": "x"}).encode()).decode()

    assert main(["--api-url", "http://127.0.0.1:9/v1", "--token", token]) == 1

    captured = capsys.readouterr()
    assert captured.err == "error: 127.0.0.1 cannot be reached: NewConnectionError\n"
    assert token not in captured.out


def test_a_token_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--api-url", "http://127.0.0.1:9/v1"])

    assert "MFA_SMOKE_TOKEN" in capsys.readouterr().err
