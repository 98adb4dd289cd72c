"""Workers die: killed before and after each AWS call of each route. What is stored stays whole, and its user goes on.

A killed worker answers nothing and tries nothing again. So the item is either as it was or as the finished request
leaves it, no attempt is counted that was not judged, and what the user does next works.
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
#: How often an AWS client asks for one answer.
ATTEMPTS: Final = 2

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Crash:
    """The death of the worker that serves a request."""

    scenario: Scenario
    call: str
    moment: Moment

    @property
    def is_done(self) -> bool:
        """Whether all that the request was to change had happened by then."""
        return self.scenario.writes and (self.call, self.moment) == (self.scenario.calls[-1], Moment.AFTER)

    def __str__(self) -> str:
        return f"{self.scenario.name}, killed {self.moment.value} {self.call}"


@dataclass(frozen=True)
class Survived:
    """What was left after a crash.

    Attributes
    ----------
    failures : tuple of int
        The attempts counted, of TOTP codes and of backup codes.
    recovery : str
        What the user did next, which worked.
    """

    crash: Crash
    status: int
    failures: tuple[int, int]
    recovery: str


def crashes(scenarios: Iterable[Scenario]) -> list[Crash]:
    """Return a crash before and after every call of each scenario."""
    return [Crash(scenario, call, moment) for scenario in scenarios for call in scenario.calls for moment in Moment]


def survive(proxy: FaultProxy) -> Callable[[HttpUser, Crash], Survived]:
    """Return a function that kills the worker of a user's request, and checks what is left."""

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
        _check_user_can_tell(user, crash, record)
        return Survived(crash, answer.status, failures(after), scenario.recover(user, crash.is_done))

    return tried


def _check_user_can_tell(user: HttpUser, crash: Crash, record: MfaRecord | None) -> None:
    """Check that nobody has a second factor on that they did not confirm, or one whose state they cannot learn."""
    enabled = record is not None and record.enabled
    assert user.status()["enabled"] == enabled
    if crash.scenario.route == SETUP:
        # The secret was never shown: it must not be what the next login asks for.
        assert not enabled
        assert record is None or record.status is Status.PENDING


def as_table(survived: list[Survived]) -> str:
    """Return a table of what was left: a row for each request and outcome."""
    rows: dict[tuple[str, bool], list[Survived]] = {}
    for each in survived:
        rows.setdefault((each.crash.scenario.name, each.crash.is_done), []).append(each)
    lines = [
        "| Request | Worker killed | Stored | Attempts counted | Afterwards, the user … |",
        "|---|---|---|---|---|",
    ]
    for (name, done), group in rows.items():
        last = group[-1].crash
        when = f"{last.moment.value} `{last.call}`"
        if len(group) > 1:
            when = f"at {len(group)} moments, from before `{group[0].crash.call}` to {when}"
        counted = {sum(each.failures) for each in group}
        stored = "as the finished request leaves it" if done else "as before"
        (recovery,) = {each.recovery for each in group}
        lines.append(f"| {name} | {when} | {stored} | {', '.join(map(str, counted))} | {recovery} |")
    return "\n".join(lines)


def test_a_confirmation_or_a_wrong_code_whose_worker_dies_in_the_end_is_whole(
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
        "Workers killed between any two AWS calls",
        f"""
The process of the function was killed (`SIGKILL`) before AWS heard of a call, or once AWS had done it and before the
function heard of that: {len(survived)} times. Each caller got a 5xx. Each time the stored item was decoded, the
attempt counters were compared with what is promised, `GET /auth/mfa` had to tell the state, and the user went on.
No secret was on that its user had not confirmed.

{as_table(survived)}
""",
    )


@pytest.mark.attack
@pytest.mark.parametrize(("moment", "heard"), [(Moment.BEFORE, 1), (Moment.AFTER, 2)], ids=["before", "after"])
def test_a_security_event_outlives_its_publisher(
    moment: Moment, heard: int, stack: Stack, aws: Aws, new_user: NewUser
) -> None:
    """Killed once the bus has the event, and before the stream is told, the publisher tells it twice, with one id."""
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
def test_a_security_event_outlives_every_fault_of_the_bus(
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
            for event in subscriber.everything():  # those of others too, which crashed a while ago
                heard.get(event["detail"]["user_id"], []).append(event["detail"]["event_id"])
    assert {fault.name for fault, user in users if len(set(heard[user.user_id])) != 1} == set()
    told = ", ".join(f"{fault.name} {len(heard[user.user_id])}" for fault, user in users)
    report(
        "Security events when the bus fails, or their publisher dies",
        f"""
Every attempt of the AWS client failed for the event of one user each, in each of the ways above; then the stream
delivered it again. Each event was heard, always under one id; so many times: {told}.
Of a publisher killed before or after `{PUBLISH}` the event was heard once, and twice with one id.
""",
    )
