"""Which writes are events, and what the events say."""

import json
import uuid
from typing import Any

import pytest

from functions.security_events.models import SecurityEvent
from functions.security_events.service import derive_events
from functions.security_events.stream import change_from_record
from functions.shared.record import RecordDamagedError
from tests.support.stream_records import (
    NEW_SALT,
    NEW_SECRET,
    OF_EACH_TYPE,
    OPERATOR,
    USED_NOW,
    WRITTEN_AT_ISO,
    Item,
    damaged,
    expiry,
    failed,
    hashes,
    item,
    pending,
    reset,
    stream_record,
)


def derive(record: dict[str, Any]) -> list[SecurityEvent]:
    return derive_events(change_from_record(record))


def events_of(old: Item | None, new: Item | None, **overrides: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the type and the facts of each event of a write."""
    return [(str(event.type), dict(event.facts)) for event in derive(stream_record(old, new, **overrides))]


LONG_AGO = {"S": "2027-01-15T07:30:00Z"}
TOTP_COUNTER = "failed_attempts,last_failed_at"
BACKUP_COUNTER = "backup_failed_attempts,backup_last_failed_at"


def failed_backup(count: int, **attributes: Any) -> Item:
    return item(backup_failed_attempts={"N": str(count)}, backup_last_failed_at={"S": WRITTEN_AT_ISO}, **attributes)


def imported(**attributes: Any) -> Item:
    """Return an item as an import writes it."""
    own = {"last_request_id": {"S": "import:1"}, "backup_codes": hashes(0, 0), "last_used_step": None}
    return item(**{**own, **attributes})


class TestEnabled:
    def test_an_enrolment_confirmed(self) -> None:
        assert events_of(pending(), item()) == [("MFAEnabled", {"actor": "user"})]

    def test_an_enrolment_confirmed_after_wrong_codes_is_no_lock(self) -> None:
        assert events_of(pending(failed_attempts={"N": "9"}), item()) == [("MFAEnabled", {"actor": "user"})]

    def test_an_imported_item(self) -> None:
        for old in (None, pending()):
            assert events_of(old, imported()) == [("MFAEnabled", {"actor": "import"})]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param(None, item(), id="created as enabled"),
            pytest.param(None, item(status=None, version=None), id="created as an older deployment did"),
            pytest.param(None, imported(backup_codes=hashes(0, 1)), id="imported with a backup code"),
            pytest.param(None, imported(**USED_NOW), id="imported with a used step"),
            pytest.param(None, imported(expires_at={"N": "1"}), id="imported with an expiry"),
            pytest.param(pending(), pending(status={"S": "ENABLED"}), id="enabled by the role of setup"),
            pytest.param(pending(), item(encrypted_secret={"S": "dGhlaXJz"}), id="confirmed with another secret"),
            pytest.param(pending(), item(last_used_step={"N": "1"}), id="confirmed with a code of long ago"),
            pytest.param(pending(), item(expires_at={"N": "1"}), id="confirmed with an expiry"),
            pytest.param(reset(), item(), id="an item without a secret is enabled"),
        ],
    )
    def test_in_a_way_in_which_nothing_of_the_service_does(self, old: Item | None, new: Item) -> None:
        (enabled, facts), (tampered, _) = events_of(old, new)
        assert (enabled, facts, tampered) == ("MFAEnabled", {"actor": "unknown"}, "MFARecordTampered")

    def test_an_item_of_an_older_deployment_has_no_status_and_counts_as_enabled(self) -> None:
        assert events_of(item(status=None, version=None), item()) == []


class TestDisabled:
    def test_by_the_user(self) -> None:
        assert events_of(item(), None) == [("MFADisabled", {"actor": "user"})]

    def test_by_the_user_after_an_operators_unlocking(self) -> None:
        unlocked = item(last_request_id=OPERATOR)
        assert events_of(unlocked, None) == [("MFADisabled", {"actor": "user"})]

    def test_by_an_operators_reset_and_once_only(self) -> None:
        assert events_of(item(), reset()) == [("MFADisabled", {"actor": "operator"})]
        assert events_of(reset(), None) == []

    def test_by_an_expiry_that_no_enabled_item_should_have(self) -> None:
        assert events_of(item(), None, **expiry()) == [("MFADisabled", {"actor": "expiry"})]

    def test_by_an_expiry_as_the_streams_own_api_spells_it(self) -> None:
        identity = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
        assert events_of(item(), None, userIdentity=identity) == [("MFADisabled", {"actor": "expiry"})]

    def test_an_item_of_an_older_deployment(self) -> None:
        assert events_of(item(status=None), None) == [("MFADisabled", {"actor": "user"})]


class TestBackupCodes:
    def test_one_used(self) -> None:
        used = item(backup_codes=hashes(1, 8), backup_codes_used=hashes(0, 1))
        assert events_of(item(), used) == [("BackupCodeUsed", {"backup_codes_remaining": 7})]

    def test_the_last_one_used(self) -> None:
        before = item(backup_codes=hashes(0, 1), backup_codes_used=hashes(1, 8))
        after = item(backup_codes=hashes(0, 0), backup_codes_used={"L": [*hashes(1, 8)["L"], *hashes(0, 1)["L"]]})
        assert events_of(before, after) == [("BackupCodeUsed", {"backup_codes_remaining": 0})]

    def test_a_new_set(self) -> None:
        before = item(backup_codes=hashes(0, 1), backup_codes_used=hashes(1, 8))
        after = item(backup_codes=hashes(10, 18), backup_codes_salt=NEW_SALT, **USED_NOW)
        assert events_of(before, after) == [("BackupCodesRegenerated", {"backup_codes_remaining": 8})]


class TestLocked:
    @pytest.mark.parametrize(
        ("count", "until"),
        [
            (5, "2027-01-15T08:01:00Z"),
            (6, "2027-01-15T08:02:00Z"),
            (11, "2027-01-15T09:00:00Z"),
            (99, "2027-01-15T09:00:00Z"),
            (100, None),
        ],
    )
    def test_each_wrong_code_from_the_fifth_on_locks_for_longer(self, count: int, until: str | None) -> None:
        facts = {"factor": "totp", "failed_attempts": count, "locked_until": until}
        assert events_of(failed(count - 1), failed(count)) == [("MFALocked", facts)]

    @pytest.mark.parametrize("count", [1, 4])
    def test_a_wrong_code_that_is_free_is_no_event(self, count: int) -> None:
        assert events_of(failed(count - 1), failed(count)) == []

    def test_backup_codes_are_counted_by_themselves(self) -> None:
        facts = {"factor": "backup_code", "failed_attempts": 5, "locked_until": "2027-01-15T08:01:00Z"}
        assert events_of(failed_backup(4), failed_backup(5)) == [("MFALocked", facts)]

    def test_a_write_that_leaves_the_count_as_it_is_is_no_lock(self) -> None:
        assert events_of(failed(7), failed(7, last_used_step={"N": "60000002"})) == []

    def test_a_pending_enrolment_cannot_be_locked(self) -> None:
        assert events_of(pending(failed_attempts={"N": "6"}), pending(failed_attempts={"N": "7"})) == []

    def test_one_write_may_be_several_events_each_with_an_id_of_its_own(self) -> None:
        before = failed(4, backup_failed_attempts={"N": "4"})
        after = failed(
            5,
            backup_failed_attempts={"N": "5"},
            backup_last_failed_at={"S": WRITTEN_AT_ISO},
            backup_codes=hashes(1, 8),
            backup_codes_used=hashes(0, 1),
        )
        events = derive(stream_record(before, after))
        assert [(event.type, event.facts.get("factor")) for event in events] == [
            ("BackupCodeUsed", None),
            ("MFALocked", "totp"),
            ("MFALocked", "backup_code"),
        ]
        assert len({event.event_id for event in events}) == 3


class TestUsedAfterFailures:
    def test_a_right_code_says_how_many_wrong_ones_preceded_it_and_when(self) -> None:
        facts = {"factor": "totp", "failed_attempts": 4, "last_failed_at": WRITTEN_AT_ISO}
        assert events_of(failed(4), item(**USED_NOW)) == [("MFAUsedAfterFailures", facts)]

    def test_backup_codes_are_counted_by_themselves(self) -> None:
        used = item(backup_codes=hashes(1, 8), backup_codes_used=hashes(0, 1))
        facts = {"factor": "backup_code", "failed_attempts": 1, "last_failed_at": WRITTEN_AT_ISO}
        assert events_of(failed_backup(1), used) == [
            ("BackupCodeUsed", {"backup_codes_remaining": 7}),
            ("MFAUsedAfterFailures", facts),
        ]

    def test_one_without_wrong_ones_before_it_is_no_event(self) -> None:
        assert events_of(item(), item(**USED_NOW)) == []


class TestUnlocked:
    def test_by_an_operator(self) -> None:
        facts = {"factor": "totp", "failed_attempts": 100, "last_failed_at": WRITTEN_AT_ISO}
        assert events_of(failed(100), item(last_request_id=OPERATOR)) == [("MFAUnlocked", facts)]

    def test_the_mark_of_an_earlier_command_explains_no_later_write(self) -> None:
        """The mark stays in the item: a writer could clear a counter after an operator's command, unreported."""
        ((kind, facts),) = events_of(failed(7, last_request_id=OPERATOR), item(last_request_id=OPERATOR))
        assert (kind, facts["changed"]) == ("MFARecordTampered", "failed_attempts,last_failed_at")
        ((_, facts), (tampered, _)) = events_of(item(last_request_id=OPERATOR), reset())
        assert (facts["actor"], tampered) == ("unknown", "MFARecordTampered")
        mark = {"S": "import:1"}
        ((_, facts), (tampered, _)) = events_of(pending(last_request_id=mark), imported(last_request_id=mark))
        assert (facts["actor"], tampered) == ("unknown", "MFARecordTampered")


class TestTampered:
    """Writes of whoever has access to the table, or the role of `setup_mfa`: no function makes them."""

    @pytest.mark.parametrize(
        ("old", "new", "changed"),
        [
            pytest.param(
                item(),
                item(encrypted_secret=NEW_SECRET, created_at={"S": "2027-01-15T08:00:00Z"}),
                "created_at,encrypted_secret",
                id="another secret",
            ),
            pytest.param(item(), item(created_at=None), "created_at", id="another enrolment"),
            pytest.param(item(), item(enabled_at=None, last_used_step=None), "enabled_at,last_used_step", id="older"),
            pytest.param(item(), item(expires_at={"N": "1"}), "expires_at", id="an expiry"),
            pytest.param(failed(7), item(), "failed_attempts,last_failed_at", id="a counter reset"),
            pytest.param(failed(7), failed(1), "failed_attempts", id="a counter lowered"),
            pytest.param(failed_backup(7), item(**USED_NOW), BACKUP_COUNTER, id="a counter reset at a login"),
            pytest.param(failed(7), failed(7, last_failed_at=LONG_AGO), "last_failed_at", id="a lock shortened"),
            pytest.param(failed(7), failed(8, last_failed_at=LONG_AGO), TOTP_COUNTER, id="a wrong code of the past"),
            pytest.param(
                item(), item(last_used_step={"N": "59999999"}), "last_used_step", id="a used code valid again"
            ),
            pytest.param(item(), item(last_used_step={"N": "70000000"}), "last_used_step", id="all codes refused"),
            pytest.param(
                item(backup_codes=hashes(1, 8), backup_codes_used=hashes(0, 1)),
                item(),
                "backup_codes,backup_codes_used",
                id="a used backup code valid again",
            ),
            pytest.param(item(), item(backup_codes=hashes(1, 9)), "backup_codes", id="a backup code of their own"),
            pytest.param(item(), item(backup_codes=hashes(1, 8)), "backup_codes", id="a backup code removed"),
            pytest.param(item(), item(note={"S": "x"}), "note", id="an unknown attribute"),
        ],
    )
    def test_a_change_of_an_enabled_item_that_no_function_makes(self, old: Item, new: Item, changed: str) -> None:
        assert ("MFARecordTampered", {"changed": changed}) in events_of(old, new)

    def test_new_backup_codes_without_a_code_from_the_app(self) -> None:
        new = item(backup_codes=hashes(10, 18), backup_codes_salt=NEW_SALT)
        assert events_of(item(), new)[1:] == [("MFARecordTampered", {"changed": "backup_codes,backup_codes_salt"})]

    def test_an_enabled_item_replaced_by_an_enrolment(self) -> None:
        events = events_of(item(), pending(encrypted_secret=NEW_SECRET, last_request_id=OPERATOR))
        assert events[0] == ("MFADisabled", {"actor": "unknown"})
        (kind, facts) = events[1]
        assert kind == "MFARecordTampered"
        assert "encrypted_secret" in str(facts["changed"])


class TestNoEvent:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param(None, pending(), id="an enrolment begun"),
            pytest.param(pending(), pending(version={"N": "7"}), id="an enrolment replaced"),
            pytest.param(pending(), pending(failed_attempts={"N": "1"}), id="a wrong first code"),
            pytest.param(
                pending(), pending(encrypted_secret=None, backup_codes_salt=None), id="an enrolment discarded"
            ),
            pytest.param(pending(), None, id="an enrolment deleted"),
            pytest.param(item(), item(last_used_step={"N": "60000001"}), id="a login"),
        ],
    )
    def test_what_concerns_nobody(self, old: Item | None, new: Item | None) -> None:
        assert events_of(old, new) == []

    def test_an_enrolment_that_expired(self) -> None:
        assert events_of(pending(), None, **expiry()) == []


class TestDetail:
    def test_says_who_when_where_and_by_which_request(self) -> None:
        (event,) = derive(stream_record(pending(), item(last_request_id={"S": "request-7"})))
        detail = event.detail("prod")
        assert uuid.UUID(str(detail.pop("event_id"))).version == 5
        assert detail == {
            "version": 1,
            "environment": "prod",
            "user_id": "user-1",
            "occurred_at": WRITTEN_AT_ISO,
            "request_id": "request-7",
            "actor": "user",
        }

    def test_of_an_operators_reset_carries_the_operators_mark(self) -> None:
        (event,) = derive(stream_record(item(), reset()))
        assert event.detail("dev")["request_id"] == OPERATOR["S"]

    def test_of_a_deletion_names_no_request_rather_than_an_earlier_one(self) -> None:
        (event,) = derive(stream_record(item(last_request_id={"S": "request-7"}), None))
        assert event.detail("dev")["request_id"] is None

    def test_holds_nothing_of_what_the_images_hold(self) -> None:
        written = json.dumps([event.detail("prod") for record in OF_EACH_TYPE.values() for event in derive(record)])
        confidential = [item()[name]["S"] for name in ("encrypted_secret", "iv", "backup_codes_salt")]
        confidential += [NEW_SALT["S"], NEW_SECRET["S"], item()["last_used_step"]["N"]]
        confidential += [element["S"] for element in hashes(0, 18)["L"]]
        assert [value for value in confidential if value in written] == []


class TestEventId:
    def test_is_the_same_at_every_delivery(self) -> None:
        record = stream_record(failed(4), failed(5))
        assert derive(record) == derive(json.loads(json.dumps(record)))

    def test_is_another_for_another_write_of_the_same_content(self) -> None:
        first, second = (derive(stream_record(pending(), item()))[0] for _ in range(2))
        assert first.event_id != second.event_id

    def test_stays_what_it_is_from_one_release_to_the_next(self) -> None:
        (event,) = derive(stream_record(pending(), item(), eventID="fixed"))
        assert event.event_id == "242df7d5-3b01-5938-be99-32c6db436bb6"


class TestDamagedRecords:
    @pytest.mark.parametrize(
        "record",
        [
            pytest.param(damaged(), id="an attribute of another type"),
            pytest.param(stream_record(item(status={"S": "ON"}), item()), id="an unknown status in the old image"),
            pytest.param(stream_record(item(), item(last_request_id={"N": "1"})), id="a request id that is no text"),
            pytest.param(stream_record(item(), item(), eventName="INSERT"), id="images that do not fit the name"),
            pytest.param(stream_record(item(), item(), eventName="RENAME"), id="an unknown kind of write"),
            pytest.param(stream_record(None, item(pk={"S": "GROUP#1"})), id="a key of something else"),
            pytest.param({"eventID": "1", "dynamodb": {"SequenceNumber": "1"}}, id="hardly anything"),
        ],
    )
    def test_make_no_event_and_quote_nothing(self, record: dict[str, Any]) -> None:
        with pytest.raises(RecordDamagedError) as caught:
            derive(record)
        assert str(caught.value) == ""
