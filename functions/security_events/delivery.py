"""From a batch of the stream to events on the bus: at least once, in order per user, never blocked by a bad record.

Lambda retries a batch of a stream from the lowest sequence number that is reported as failed, including all later
records, and after too many retries abandons all of them. So two kinds of failure are handled differently:

- A record that cannot be read never succeeds. Reporting it would delay all later records and in the end lose them
  too. It goes to the dead-letter queue, and the batch continues.
- An event that the bus refuses now will succeed later. Its record is reported, nothing after it is sent, and Lambda
  delivers again from there. Events that were already sent in the same call are sent twice, with the same id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functions.security_events.models import SecurityEvent
from functions.security_events.publisher import MAX_ENTRIES, DeadLetters, EventBus
from functions.security_events.service import derive_events
from functions.security_events.stream import StreamRecord, change_from_record, sequence_number, user_id_of
from functions.shared.contract import Metric, SecurityEventType
from functions.shared.errors import ServiceUnavailableError
from functions.shared.observability import Telemetry
from functions.shared.record import RecordDamagedError


@dataclass(frozen=True)
class _Entry:
    """An event and its record."""

    record: StreamRecord
    event: SecurityEvent


@dataclass(frozen=True)
class _Unreadable:
    """A record that cannot be read."""

    record: StreamRecord
    error: Exception


class Delivery:
    """Delivers batches.

    Parameters
    ----------
    bus : EventBus
        Publishes the events.
    dead_letters : DeadLetters
        Keeps the records that cannot be read.
    telemetry : Telemetry
        Log and metrics.
    """

    def __init__(self, *, bus: EventBus, dead_letters: DeadLetters, telemetry: Telemetry) -> None:
        self._bus = bus
        self._dead_letters = dead_letters
        self._telemetry = telemetry

    def deliver(self, records: Sequence[StreamRecord]) -> str | None:
        """Publish the events of a batch.

        Returns
        -------
        str or None
            The sequence number to retry from, or None if the whole batch is done.
        """
        for step in _steps(records):
            done = self._set_aside(step) if isinstance(step, _Unreadable) else self._publish(step)
            if done is not None:
                return done
        return None

    def _publish(self, entries: list[_Entry]) -> str | None:
        refusals = self._bus.publish([entry.event for entry in entries])
        results = [*zip(entries, refusals, strict=True)]
        sent = [entry.event for entry, refusal in results if refusal is None]
        failed = [(entry, refusal) for entry, refusal in results if refusal is not None]
        self._telemetry.count(
            [Metric.SECURITY_EVENTS_PUBLISHED] * len(sent)
            + [Metric.SECURITY_EVENT_FAILURES] * len(failed)
            # Whether or not the bus accepts the event: on-call is paged by the metric.
            + [
                Metric.RECORDS_TAMPERED
                for entry in entries
                if entry.event.type is SecurityEventType.MFA_RECORD_TAMPERED
            ]
        )
        for event in sent:
            self._telemetry.info(
                "security event published", event_type=event.type, event_id=event.event_id, user_id=event.user_id
            )
        for entry, refusal in failed:
            self._telemetry.warning(
                "security event not published",
                event_type=entry.event.type,
                event_id=entry.event.event_id,
                user_id=entry.event.user_id,
                failure=refusal,
            )
        return sequence_number(failed[0][0].record) if failed else None

    def _set_aside(self, unreadable: _Unreadable) -> str | None:
        record = unreadable.record
        where = {"sequence_number": sequence_number(record), "user_id": user_id_of(record)}
        # The service writes no item that it cannot read. Without this metric, damaging an item would hide the next
        # write to it.
        tampered = [Metric.RECORDS_TAMPERED] if isinstance(unreadable.error, RecordDamagedError) else []
        self._telemetry.count([Metric.SECURITY_EVENT_FAILURES, *tampered])
        try:
            self._dead_letters.keep(record, type(unreadable.error).__name__)
        except ServiceUnavailableError as error:
            self._telemetry.warning(
                "record not moved to the dead-letter queue", operation=error.operation, failure=error.reason, **where
            )
            return sequence_number(record)
        self._telemetry.unexpected("record moved to the dead-letter queue", unreadable.error, **where)
        return None


def _steps(records: Sequence[StreamRecord]) -> Iterator[list[_Entry] | _Unreadable]:
    """Split a batch into calls of the bus and unreadable records, in the stream's order.

    No call has two events of one user: the bus may refuse single events of a call, and a refused event, which is sent
    again later, must not arrive after the user's next event.
    """
    call: list[_Entry] = []
    for record in records:
        try:
            events = derive_events(change_from_record(record))
        except Exception as error:  # noqa: BLE001 - any exception would be raised again at the next delivery
            if call:
                yield call
                call = []
            yield _Unreadable(record, error)
            continue
        for event in events:
            if len(call) == MAX_ENTRIES or any(entry.event.user_id == event.user_id for entry in call):
                yield call
                call = []
            call.append(_Entry(record, event))
    if call:
        yield call
