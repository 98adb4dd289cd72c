"""A record as an item and back, items that the service never writes, and the counters of the factors."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.contract import Attribute, Factor, Status
from functions.shared.lockout import Failures
from functions.shared.record import MfaRecord, RecordDamagedError, changed_attributes, record_from_item
from tests.support.records import NOW, attributes, pending, record

ITEM: dict[str, dict[str, Any]] = {
    "pk": {"S": "USER#user-1"},
    "sk": {"S": "MFA#SECRET"},
    "entity_type": {"S": "MFA_SECRET"},
    "status": {"S": "ENABLED"},
    "encrypted_secret": {"S": "c2VjcmV0"},
    "iv": {"S": "AAAAAAAAAAAAAAAB"},
    "backup_codes": {"L": [{"S": "a"}, {"S": "b"}]},
    "backup_codes_used": {"L": [{"S": "c"}]},
    "backup_codes_salt": {"S": "c2FsdA=="},
    "version": {"N": "281474976710655"},
    "enabled_at": {"S": "2027-01-15T08:00:15Z"},
    "last_used_step": {"N": "60000000"},
    "failed_attempts": {"N": "4"},
    "last_failed_at": {"S": "2027-01-15T08:00:16Z"},
    "backup_failed_attempts": {"N": "100"},
    "backup_last_failed_at": {"S": "2027-01-15T08:00:17Z"},
}
RECORD = MfaRecord(
    user_id="user-1",
    status=Status.ENABLED,
    encrypted_secret="c2VjcmV0",
    iv="AAAAAAAAAAAAAAAB",
    backup_codes=("a", "b"),
    backup_codes_used=("c",),
    backup_codes_salt=b"salt",
    version=281474976710655,
    enabled_at=1_800_000_015,
    last_used_step=60_000_000,
    failed_attempts=4,
    last_failed_at=1_800_000_016,
    backup_failed_attempts=100,
    backup_last_failed_at=1_800_000_017,
)
FACTORS = pytest.mark.parametrize("factor", Factor)


class TestItem:
    @pytest.mark.parametrize("value", [{"S": "2024-01-20T10:00:00.123456Z"}, {"N": "1"}, {"S": ""}])
    def test_an_unreadable_time_of_the_last_write_damages_no_record(self, value: dict[str, str]) -> None:
        assert record_from_item("user-1", {**attributes(record()), "updated_at": value}).updated_at is None

    def test_every_attribute_is_read(self) -> None:
        assert record_from_item("user-1", ITEM) == RECORD

    def test_a_record_is_written_as_it_was_read(self) -> None:
        assert attributes(RECORD) == {name: ITEM[name] for name in ITEM.keys() - {"pk", "sk", "entity_type"}}

    @given(
        st.builds(
            MfaRecord,
            user_id=st.just("user-1"),
            status=st.sampled_from(Status),
            encrypted_secret=st.none() | st.text(min_size=1),
            backup_codes=st.lists(st.text()).map(tuple),
            backup_codes_used=st.lists(st.text()).map(tuple),
            backup_codes_salt=st.none() | st.binary(min_size=1),
            version=st.none() | st.integers(0, 2**48),
            failed_attempts=st.integers(0, 1000),
            last_failed_at=st.none() | st.integers(0, 2**33),
        )
    )
    def test_reading_undoes_writing(self, stored: MfaRecord) -> None:
        assert record_from_item("user-1", attributes(stored)) == stored

    @pytest.mark.parametrize("name", sorted(ITEM.keys() - {"pk", "sk", "entity_type", "status"}))
    def test_an_absent_attribute_is_none_or_zero(self, name: str) -> None:
        read = record_from_item("user-1", {key: value for key, value in ITEM.items() if key != name})
        assert not getattr(read, name)
        assert replace(read, **{name: getattr(RECORD, name)}) == RECORD

    def test_without_a_status_it_counts_as_enabled(self) -> None:
        assert record_from_item("user-1", {key: value for key, value in ITEM.items() if key != "status"}) == RECORD

    @pytest.mark.parametrize(
        "damage",
        [
            *({"status": {"S": "MAYBE"}}, {"status": {"S": "enabled"}}, {"status": {"NULL": True}}),
            *({"encrypted_secret": {"B": b"c2Vj"}}, {"encrypted_secret": "c2Vj"}, {"iv": {"N": "1"}}),
            *({"backup_codes": {"S": "none"}}, {"backup_codes": {"L": ["a"]}}, {"backup_codes": {"L": [{"N": "1"}]}}),
            *({"backup_codes": {"L": None}}, {"backup_codes_used": {"SS": ["a"]}}, {"backup_codes_used": None}),
            *(
                {"backup_codes_salt": {"S": "not base64!"}},
                {"backup_codes_salt": {"S": "c2FsdA"}},
                {"backup_codes_salt": {"S": "c2Fs!dA=="}},
            ),
            *({"version": {"S": "1"}}, {"version": {"N": "one"}}, {"version": {"N": "1.5"}}, {"version": {"N": ""}}),
            *({"failed_attempts": {"S": "many"}}, {"failed_attempts": {"N": "NaN"}}),
            *({"last_failed_at": {"S": "yesterday"}}, {"last_failed_at": {"N": "1800000000"}}),
            *({"enabled_at": {"S": "2027-02-30T00:00:00Z"}}, {"backup_last_failed_at": {"S": "2027-01-15"}}),
        ],
        ids=str,
    )
    def test_a_value_that_the_service_never_writes_is_damage_and_is_not_quoted(self, damage: Any) -> None:
        with pytest.raises(RecordDamagedError) as caught:
            record_from_item("user-1", {**ITEM, **damage})
        assert str(caught.value) == ""


class TestChanges:
    def test_equal_records_have_none(self) -> None:
        assert changed_attributes(RECORD, replace(RECORD)) == {}

    def test_only_what_differs_is_written_and_none_removes(self) -> None:
        new = replace(RECORD, last_used_step=60_000_001, last_failed_at=None, failed_attempts=0, backup_codes=())
        assert changed_attributes(RECORD, new) == {
            Attribute.LAST_USED_STEP: {"N": "60000001"},
            Attribute.LAST_FAILED_AT: None,
            Attribute.FAILED_ATTEMPTS: {"N": "0"},
            Attribute.BACKUP_CODES: {"L": []},
        }


class TestPending:
    @pytest.mark.parametrize(("seconds", "waits"), [(0, True), (599.9, True), (600, False), (601, False)])
    def test_until_the_second_it_expires(self, seconds: float, waits: bool) -> None:
        assert pending().pending_at(NOW + seconds) is waits

    def test_neither_an_enabled_nor_a_discarded_nor_an_endless_one(self) -> None:
        assert not record(expires_at=NOW + 600).pending_at(NOW)
        assert not pending(encrypted_secret=None).pending_at(NOW)
        assert not pending(expires_at=None).pending_at(NOW)


class TestFailures:
    @FACTORS
    def test_are_those_of_the_factor(self, factor: Factor) -> None:
        expected = {
            Factor.TOTP: Failures(4, 1_800_000_016),
            Factor.BACKUP_CODE: Failures(100, 1_800_000_017),
        }
        assert RECORD.failures(factor) == expected[factor]

    @FACTORS
    def test_of_one_factor_change_nothing_else(self, factor: Factor) -> None:
        changed = RECORD.with_failures(factor, Failures(7, NOW))
        (other,) = set(Factor) - {factor}
        assert changed.failures(factor) == Failures(7, NOW)
        assert changed.failures(other) == RECORD.failures(other)
        assert changed.with_failures(factor, RECORD.failures(factor)) == RECORD
