"""Workers are killed before and after each AWS call of each route, and the stored data stays consistent.

A killed worker sends no response and retries nothing. The item is then either unchanged or as the finished request
leaves it, no unchecked attempt is counted, and the user's next step works.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import pytest

from functions.shared.contract import (
    ENDPOINTS,
    EVENT_SOURCE,
    SECURITY_EVENTS_FUNCTION,
    SETUP,
    VERIFY,
    VERIFY_SETUP,
    SecurityEventType,
    Status,
)
from functions.shared.record import MfaRecord, record_from_item
from local.stack import Stack
from tests.attack.crowd import LARGE, Crowd
from tests.attack.fault_proxy import FAULTS, FaultProxy, Moment, between
from tests.attack.scenarios import SCENARIOS, SWAP, Scenario, failures, promised_failures
from tests.support.http_user import HttpUser
from tests.support.stack import Aws
from tests.support.subscriber import PATIENCE_SECONDS, Subscriber

type NewUser = Callable[[str], HttpUser]

PUBLISH: Final = "events:PutEvents"
#: The AWS clients try each call at most twice.
ATTEMPTS: Final = 2

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Crash:
    """The kill of the worker that serves a request."""

    scenario: Scenario
    call: str
    moment: Moment

    @property
    def is_done(self) -> bool:
        """Whether the request had made its change by then."""
        return self.scenario.writes and (self.call, self.moment) == (self.scenario.calls[-1], Moment.AFTER)

    def __str__(self) -> str:
        return f"{self.scenario.name}, killed {self.moment.value} {self.call}"


@dataclass(frozen=True)
class Survived:
    """The state after a crash.

    Attributes
    ----------
    failures : tuple of int
        The counted attempts with TOTP codes and with backup codes.
    recovery : str
        The user's next step, which worked.
    """

    crash: Crash
    failures: tuple[int, int]
    recovery: str


def crashes(scenarios: Iterable[Scenario]) -> list[Crash]:
    """Return a crash before and after every call of each scenario."""
    return [Crash(scenario, call, moment) for scenario in scenarios for call in scenario.calls for moment in Moment]


def survive(proxy: FaultProxy) -> Callable[[HttpUser, Crash], Survived]:
    """Return a function that kills the worker of a user's request and checks the state afterwards."""

    def tried(user: HttpUser, crash: Crash) -> Survived:
        scenario = crash.scenario
        scenario.prepare(user)
        before = user.item()
        with proxy.killing(crash.moment, crash.call, user.user_id):
            answer = scenario.act(user)
            assert answer.status >= 500, answer
        after = user.item()
        assert (after != before) == crash.is_done
        assert failures(after) == promised_failures(scenario, crash.is_done)
        record = record_from_item(user.user_id, after) if after else None
        _check_status(user, crash, record)
        return Survived(crash, failures(after), scenario.recover(user, crash.is_done))

    return tried


def _check_status(user: HttpUser, crash: Crash, record: MfaRecord | None) -> None:
    """Check that the user can learn the state, and that an unconfirmed secret is not enabled."""
    enabled = record is not None and record.enabled
    assert user.status()["enabled"] == enabled
    if crash.scenario.route == SETUP:
        assert not enabled
        assert record is None or record.status is Status.PENDING


def as_table(survived: list[Survived]) -> str:
    """Return a table of the states: a row for each request and outcome."""
    rows: dict[tuple[str, bool], list[Survived]] = {}
    for each in survived:
        rows.setdefault((each.crash.scenario.name, each.crash.is_done), []).append(each)
    lines = ["| Request | Item | Kills | Attempts counted | The user's next step |", "|---|---|---|---|---|"]
    for (name, done), group in rows.items():
        counted = {sum(each.failures) for each in group}
        (recovery,) = {each.recovery for each in group}
        item = "written" if done else "unchanged"
        lines.append(f"| {name} | {item} | {len(group)} | {', '.join(map(str, counted))} | {recovery} |")
    return "\n".join(lines)


def test_a_confirmation_and_a_wrong_code_survive_a_crash_after_their_write(
    stack: Stack, aws: Aws, new_user: NewUser, say: Callable[[str], None]
) -> None:
    names = ("verify-setup", "verify, wrong code")
    wanted = [Crash(each, SWAP, Moment.AFTER) for each in SCENARIOS if each.name in names]
    functions = [stack.functions[route.function] for route in (VERIFY_SETUP, VERIFY)]
    with between(aws, stack.endpoint_url, functions) as proxy:
        crowd = Crowd(new_user, size=2)
        crowd.warm_up([VERIFY_SETUP, VERIFY])
        assert len(crowd.run(wanted, survive(proxy), say)) == len(names)


@pytest.mark.attack
def test_a_crash_before_and_after_every_call_of_every_route(
    stack: Stack,
    aws: Aws,
    new_user: NewUser,
    report: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    with between(aws, stack.endpoint_url, [stack.functions[route.function] for route in ENDPOINTS]) as proxy:
        crowd = Crowd(new_user, size=LARGE)
        crowd.warm_up()
        survived = crowd.run(crashes(SCENARIOS), survive(proxy), say)
    report(
        "Workers killed before and after each AWS call",
        f"""
The process of the function was killed (`SIGKILL`) {len(survived)} times: before AWS received a call, or after AWS had
made it and before the function got the response. Each caller got a 5xx. Checked each time: the stored item, the attempt
counters, that `GET /auth/mfa` works, that no unconfirmed secret is enabled, and that the user's next step works.

{as_table(survived)}
""",
    )


@pytest.mark.attack
@pytest.mark.parametrize(("moment", "heard"), [(Moment.BEFORE, 1), (Moment.AFTER, 2)], ids=["before", "after"])
def test_a_security_event_survives_a_crash_of_its_publisher(
    moment: Moment, heard: int, stack: Stack, aws: Aws, new_user: NewUser
) -> None:
    """A publisher that dies after publishing publishes again, under the same event id."""
    user = new_user(f"publisher-{moment.value}@example.com")
    pattern = {"source": [EVENT_SOURCE], "detail": {"user_id": [user.user_id]}}
    with (
        Subscriber(aws, pattern).subscribed() as subscriber,
        between(aws, stack.endpoint_url, [stack.functions[SECURITY_EVENTS_FUNCTION]]) as proxy,
        proxy.killing(moment, PUBLISH, user.user_id),
    ):
        user.fresh_time_step()
        user.enrol()
        events = subscriber.wait_for(heard)
    assert len({event["detail"]["event_id"] for event in events}) == 1


@pytest.mark.attack
def test_a_security_event_survives_every_fault_of_the_bus(
    stack: Stack, aws: Aws, new_user: NewUser, report: Callable[[str, str], None]
) -> None:
    users = [(fault, new_user(f"bus-{fault.name}@example.com")) for fault in FAULTS if fault.fails]
    pattern = {"source": [EVENT_SOURCE], "detail-type": [SecurityEventType.MFA_ENABLED]}
    heard: dict[str, list[str]] = {user.user_id: [] for _, user in users}
    with (
        Subscriber(aws, pattern).subscribed() as subscriber,
        between(aws, stack.endpoint_url, [stack.functions[SECURITY_EVENTS_FUNCTION]]) as proxy,
        ExitStack() as faults,
    ):
        for fault, user in users:
            faults.enter_context(proxy.failing(fault, (PUBLISH,), user.user_id, times=ATTEMPTS))
            user.fresh_time_step(4)
            user.enrol()
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while not all(heard.values()) and time.monotonic() < deadline:
            for event in subscriber.everything():  # also those of other tests
                heard.get(event["detail"]["user_id"], []).append(event["detail"]["event_id"])
    assert {fault.name for fault, user in users if len(set(heard[user.user_id])) != 1} == set()
    report(
        "Security events when the bus fails or the publisher dies",
        f"""
Both attempts of the AWS client to publish an event failed, in {len(users)} ways, for one user each; the stream then
delivered the change again. Each event arrived, always under one id. An event also arrived when its publisher was killed
before or after `{PUBLISH}`: once, and twice with the same id.
""",
    )
