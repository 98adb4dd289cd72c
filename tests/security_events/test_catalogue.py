"""``docs/events.md`` shows what is really sent."""

import json
import re
from typing import Any

import pytest

from functions.security_events.service import derive_events
from functions.security_events.stream import change_from_record
from functions.shared.contract import EVENT_SOURCE, Actor, Factor, SecurityEventType
from tests.support.pages import fences, rows, section, text_of
from tests.support.stream_records import OF_EACH_TYPE

PAGE = "events.md"


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
    (event,) = derive_events(change_from_record(OF_EACH_TYPE[kind]))
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
