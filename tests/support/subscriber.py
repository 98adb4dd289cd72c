"""A subscriber of the event bus."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from functions.shared.contract import DEFAULT_EVENT_BUS_NAME
from tests.support.temporary_queue import Clients, TemporaryQueue, events_of_bus

#: The stream is read every second, and the machine may be busy.
PATIENCE_SECONDS: Final = 30
#: No other event may follow the last expected one for this long: the stream is read twice.
SILENCE_SECONDS: Final = 3

type Event = dict[str, Any]


class Subscriber:
    """A queue behind a rule of the default bus.

    Parameters
    ----------
    pattern : dict
        The events that it receives.
    """

    _queue: TemporaryQueue

    def __init__(self, clients: Clients, pattern: dict[str, Any]) -> None:
        self._clients = clients
        self._pattern = pattern

    @contextmanager
    def subscribed(self) -> Iterator[Self]:
        """Subscribe during a block."""
        with events_of_bus(self._clients, self._pattern, bus=DEFAULT_EVENT_BUS_NAME) as self._queue:
            yield self

    def wait_for(self, count: int) -> list[Event]:
        """Return the received events in order, once there are exactly so many."""
        found: list[Event] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            found += self._received(wait=1)
        found += self.everything()
        assert len(found) == count, [event["detail-type"] for event in found]
        return found

    def everything(self) -> list[Event]:
        """Return the received events, once no more arrive for a while."""
        found: list[Event] = []
        while more := self._received(wait=SILENCE_SECONDS):
            found += more
        return found

    def receives_nothing(self) -> bool:
        """Return whether no event arrives for a while."""
        return not self._received(wait=SILENCE_SECONDS)

    def _received(self, *, wait: int) -> list[Event]:
        return [json.loads(body) for body in self._queue.receive(wait=wait)]
