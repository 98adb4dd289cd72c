"""``docs/events.md`` shows what is really sent."""

import json
import re
from typing import Any

import pytest

from functions.security_events.service import derive_events
from functions.security_events.stream import change_from_record
from functions.shared.contract import EVENT_SOURCE, Actor, Factor, SecurityEventType
from tests.support.pages import fences, rows, section, text_of
from tests.support.stream_records import (
    OPERATOR,
    WRITTEN_AT,
    enabling,
    hashes,
    item,
    stream_record,
    using_a_backup_code,
)

PAGE = "events.md"

USED_NOW: dict[str, Any] = {"last_used_step": {"N": str(WRITTEN_AT // 30 + 1)}}
FAILED: dict[str, Any] = {"last_failed_at": {"S": "2027-01-15T08:00:00Z"}}
RECORDS = {
    SecurityEventType.MFA_ENABLED: enabling(),
    SecurityEventType.MFA_DISABLED: stream_record(item(), None),
    SecurityEventType.BACKUP_CODE_USED: using_a_backup_code(),
    SecurityEventType.BACKUP_CODES_REGENERATED: stream_record(
        item(), item(backup_codes=hashes(10, 18), backup_codes_salt={"S": "b3RoZXIgc2FsdCBzYWx0IQ=="}, **USED_NOW)
    ),
    SecurityEventType.MFA_LOCKED: stream_record(
        item(failed_attempts={"N": "4"}, **FAILED), item(failed_attempts={"N": "5"}, **FAILED)
    ),
    SecurityEventType.MFA_UNLOCKED: stream_record(
        item(failed_attempts={"N": "100"}, **FAILED), item(last_request_id=OPERATOR)
    ),
    SecurityEventType.MFA_USED_AFTER_FAILURES: stream_record(
        item(failed_attempts={"N": "4"}, **FAILED), item(**USED_NOW)
    ),
    SecurityEventType.MFA_RECORD_TAMPERED: stream_record(item(), item(encrypted_secret={"S": "bWluZQ=="})),
}


def blocks(heading: str) -> list[Any]:
    return [json.loads(block) for block in fences(section(PAGE, heading), "json")]


def members(heading: str) -> list[str]:
    """Return the members that a table describes."""
    return [row[0].strip("`") for row in rows(section(PAGE, heading))]


def test_every_event_has_its_heading_and_no_other_has() -> None:
    named = re.findall(r"^## ((?:MFA|Backup)\w+)$", text_of(PAGE), re.MULTILINE)
    assert sorted(named) == sorted(SecurityEventType)


@pytest.mark.parametrize("kind", SecurityEventType)
def test_an_example_has_the_members_and_values_of_the_event(kind: SecurityEventType) -> None:
    (event,) = derive_events(change_from_record(RECORDS[kind]))
    assert event.type is kind
    sent = json.loads(json.dumps(event.detail("prod")))
    (example,) = blocks(kind)
    assert list(example) == list(sent)
    of_the_occasion = {"event_id", "user_id", "request_id"}
    for name in set(sent) - of_the_occasion:
        assert example[name] == sent[name], name
    for name in of_the_occasion:
        assert type(example[name]) is type(sent[name]), name


@pytest.mark.parametrize("kind", SecurityEventType)
def test_each_member_is_described_once(kind: SecurityEventType) -> None:
    (example,) = blocks(kind)
    assert members("Common fields") + members(kind) == list(example)


def test_patterns_name_the_source_and_events_that_exist() -> None:
    patterns = blocks("Subscribe")
    assert [pattern["source"] for pattern in patterns] == [[EVENT_SOURCE]] * 2
    assert set(patterns[1]["detail-type"]) < set(SecurityEventType)


@pytest.mark.parametrize("value", [*Actor, *Factor])
def test_each_value_of_a_fixed_set_is_described(value: Actor | Factor) -> None:
    assert f"`{value}`" in text_of(PAGE)
