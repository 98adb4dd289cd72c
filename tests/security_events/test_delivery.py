"""What becomes of a batch when something in it fails, with a bus and a queue that fail on demand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.security_events.delivery import Delivery
from functions.security_events.models import SecurityEvent
from functions.security_events.stream import StreamRecord, sequence_number
from functions.shared.errors import ServiceUnavailableError
from functions.shared.observability import Telemetry
from tests.support.logs import forget_logger
from tests.support.metrics import Emitted
from tests.support.stream_records import (
    NEW_SECRET,
    damaged,
    enabling,
    failed,
    hashes,
    item,
    login,
    stream_record,
    using_a_backup_code,
)


@dataclass
class FakeBus:
    """Refuses the events of the users in a list."""

    refused_users: set[str] = field(default_factory=set)
    calls: list[list[SecurityEvent]] = field(default_factory=list)
    taken: list[SecurityEvent] = field(default_factory=list)

    def publish(self, events: Sequence[SecurityEvent]) -> list[str | None]:
        self.calls.append([*events])
        refusals = ["ThrottlingException" if event.user_id in self.refused_users else None for event in events]
        self.taken += [event for event, refusal in zip(events, refusals, strict=True) if refusal is None]
        return refusals


@dataclass
class FakeQueue:
    """Keeps references, or fails."""

    down: bool = False
    kept: list[tuple[StreamRecord, str]] = field(default_factory=list)

    def keep(self, record: StreamRecord, reason: str) -> None:
        if self.down:
            raise ServiceUnavailableError("sqs:SendMessage", "ThrottlingException")
        self.kept.append((record, reason))


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def delivery(bus: FakeBus, queue: FakeQueue) -> Delivery:
    return make_delivery(bus, queue)


def make_delivery(bus: FakeBus, queue: FakeQueue) -> Delivery:
    forget_logger()
    return Delivery(
        bus=bus, dead_letters=queue, telemetry=Telemetry(environment="dev", log_level="INFO", version="1.2.3")
    )


def users(events: Sequence[SecurityEvent]) -> list[str]:
    return [event.user_id for event in events]


def redeliver(delivery: Delivery, records: list[dict[str, Any]], checkpoint: str | None) -> str | None:
    """Deliver again as Lambda does: the reported record and everything behind it."""
    return delivery.deliver([record for record in records if sequence_number(record) >= (checkpoint or "")])


def test_a_batch_without_events_calls_nobody(delivery: Delivery, bus: FakeBus) -> None:
    assert delivery.deliver([login(), login("user-2")]) is None
    assert bus.calls == []


def test_events_of_many_users_share_calls_of_at_most_ten(delivery: Delivery, bus: FakeBus) -> None:
    everybody = [f"user-{number}" for number in range(25)]
    assert delivery.deliver([enabling(user_id) for user_id in everybody]) is None
    assert [len(call) for call in bus.calls] == [10, 10, 5]
    assert users(bus.taken) == everybody


def test_events_of_one_user_never_share_a_call(delivery: Delivery, bus: FakeBus) -> None:
    assert delivery.deliver([enabling("a"), enabling("b"), using_a_backup_code("a"), using_a_backup_code("b")]) is None
    assert [users(call) for call in bus.calls] == [["a", "b"], ["a", "b"]]


class TestRefusal:
    def test_is_reported_by_the_record_it_concerns(self, delivery: Delivery, bus: FakeBus) -> None:
        bus.refused_users = {"b"}
        records = [enabling("a"), enabling("b"), enabling("c")]
        assert delivery.deliver(records) == sequence_number(records[1])

    def test_the_first_of_several_is_the_one_to_start_again_from(self, delivery: Delivery, bus: FakeBus) -> None:
        bus.refused_users = {"c", "b"}
        records = [enabling("a"), enabling("b"), enabling("c")]
        assert delivery.deliver(records) == sequence_number(records[1])

    def test_lets_nothing_overtake_it(self, delivery: Delivery, bus: FakeBus) -> None:
        bus.refused_users = {"a"}
        records = [enabling("a"), using_a_backup_code("a"), *(enabling(f"user-{number}") for number in range(20))]
        delivery.deliver(records)
        assert "BackupCodeUsed" not in [event.type for call in bus.calls for event in call]
        assert len(bus.calls) == 1

    def test_loses_nothing_and_keeps_each_users_order_once_the_bus_takes_events_again(
        self, delivery: Delivery, bus: FakeBus
    ) -> None:
        bus.refused_users = {"b"}
        records = [
            *(enabling(user_id) for user_id in "abc"),
            *(using_a_backup_code(user_id) for user_id in "abc"),
            login("a"),
        ]
        checkpoint = delivery.deliver(records)
        bus.refused_users = set()
        assert redeliver(delivery, records, checkpoint) is None
        for user_id in "abc":
            own = [event for event in bus.taken if event.user_id == user_id]
            first_seen = [*dict.fromkeys(event.event_id for event in own)]
            kinds = {event.event_id: event.type for event in own}
            assert [kinds[event_id] for event_id in first_seen] == ["MFAEnabled", "BackupCodeUsed"]

    def test_a_duplicate_has_the_id_that_it_had(self, delivery: Delivery, bus: FakeBus) -> None:
        bus.refused_users = {"a"}
        records = [enabling("a"), enabling("b")]
        checkpoint = delivery.deliver(records)
        bus.refused_users = set()
        redeliver(delivery, records, checkpoint)
        assert users(bus.taken) == ["b", "a", "b"]
        assert bus.taken[0] == bus.taken[2]

    def test_a_record_of_several_events_is_done_when_all_are(self, delivery: Delivery, bus: FakeBus) -> None:
        after = failed(5, backup_codes=hashes(1, 8), backup_codes_used=hashes(0, 1))
        record = stream_record(failed(4), after)
        assert delivery.deliver([record]) is None
        assert [event.type for event in bus.taken] == ["BackupCodeUsed", "MFALocked"]
        bus.refused_users = {"user-1"}
        assert delivery.deliver([record]) == sequence_number(record)


class TestBadRecord:
    def test_is_set_aside_and_everything_around_it_published(
        self, delivery: Delivery, bus: FakeBus, queue: FakeQueue
    ) -> None:
        bad = damaged("b")
        assert delivery.deliver([enabling("a"), bad, enabling("c")]) is None
        assert users(bus.taken) == ["a", "c"]
        assert queue.kept == [(bad, "RecordDamagedError")]

    def test_is_kept_once_though_the_batch_is_delivered_again(
        self, delivery: Delivery, bus: FakeBus, queue: FakeQueue
    ) -> None:
        bus.refused_users = {"a"}
        records = [enabling("a"), damaged("b"), enabling("c")]
        checkpoint = delivery.deliver(records)
        assert queue.kept == []
        bus.refused_users = set()
        assert redeliver(delivery, records, checkpoint) is None
        assert len(queue.kept) == 1

    def test_is_delivered_again_if_it_cannot_be_set_aside(
        self, delivery: Delivery, bus: FakeBus, queue: FakeQueue
    ) -> None:
        queue.down = True
        records = [enabling("a"), damaged("b"), enabling("c")]
        assert delivery.deliver(records) == sequence_number(records[1])
        assert users(bus.taken) == ["a"]

    def test_a_defect_of_ours_is_set_aside_like_damage(
        self, delivery: Delivery, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("functions.security_events.delivery.derive_events", fail)
        assert delivery.deliver([enabling("a")]) is None
        assert [reason for _, reason in queue.kept] == ["ZeroDivisionError"]


class TestTelemetry:
    def test_counts_what_was_published_and_what_failed(
        self, delivery: Delivery, bus: FakeBus, emitted: Emitted
    ) -> None:
        bus.refused_users = {"c"}
        delivery.deliver([enabling("a"), damaged("x"), enabling("b"), enabling("c")])
        assert emitted() == {"SecurityEventsPublished": 2, "SecurityEventFailures": 2, "MFARecordsTampered": 1}

    @pytest.mark.parametrize("refused", [set(), {"a"}], ids=["published", "refused"])
    def test_counts_tampering_even_if_the_bus_is_down(
        self, delivery: Delivery, bus: FakeBus, refused: set[str], emitted: Emitted
    ) -> None:
        bus.refused_users = refused
        delivery.deliver([stream_record(item("a"), item("a", encrypted_secret=NEW_SECRET))])
        assert emitted()["MFARecordsTampered"] == 1

    def test_logs_what_happened_to_whom_and_nothing_of_the_images(
        self, bus: FakeBus, queue: FakeQueue, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bus.refused_users = {"c"}
        make_delivery(bus, queue).deliver([enabling("a"), damaged("b"), enabling("c")])
        logged = capsys.readouterr().out
        for expected in (
            "security event published",
            "MFAEnabled",
            "record moved to the dead-letter queue",
            "security event not published",
        ):
            assert expected in logged
        for confidential in ("c2VhbGVkIHNlY3JldA==", "c2FsdCBzYWx0IHNhbHQgIQ==", f"{1:064x}"):
            assert confidential not in logged
