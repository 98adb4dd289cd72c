"""Security events are delivered although the event bus fails, or the publisher dies."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import pytest

from functions.shared.contract import EVENT_SOURCE, SECURITY_EVENTS_FUNCTION, SecurityEventType
from local.stack import Stack
from tests.attack.fault_proxy import FAULTS, Moment, between
from tests.support.http_user import NewUser
from tests.support.stack import Aws
from tests.support.subscriber import PATIENCE_SECONDS, Event, Subscriber

PUBLISH: Final = "events:PutEvents"
#: The AWS clients try each call at most twice.
ATTEMPTS: Final = 2

pytestmark = [pytest.mark.e2e, pytest.mark.attack]


@pytest.mark.parametrize(("moment", "least"), [(Moment.BEFORE, 1), (Moment.AFTER, 2)], ids=["before", "after"])
def test_a_security_event_survives_a_crash_of_its_publisher(
    moment: Moment, least: int, stack: Stack, aws: Aws, new_user: NewUser
) -> None:
    """A publisher that dies after publishing publishes again, under the same event id.

    Events arrive at least once: a slow bus makes the publisher repeat them too.
    """
    events: list[Event] = []
    user = new_user(f"publisher-{moment.value}@example.com")
    pattern = {"source": [EVENT_SOURCE], "detail": {"user_id": [user.user_id]}}
    with (
        Subscriber(aws, pattern).subscribed() as subscriber,
        between(aws, stack.endpoint_url, [stack.functions[SECURITY_EVENTS_FUNCTION]]) as proxy,
        proxy.killing(moment, PUBLISH, user.user_id),
    ):
        user.fresh_time_step()
        user.enrol()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(events) < least and time.monotonic() < deadline:
            events += subscriber.everything()
    assert len(events) >= least
    assert len({event["detail"]["event_id"] for event in events}) == 1


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
