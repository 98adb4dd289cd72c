"""Timestamps: written, read, sorted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.clock import epoch_from_iso, iso_timestamp

#: All years that Python knows, from 1 to 9999.
EPOCHS = st.integers(-62_135_596_800, 253_402_300_799)


@pytest.mark.parametrize(
    ("epoch", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_705_744_800, "2024-01-20T10:00:00Z"),
        (1_705_744_800.999, "2024-01-20T10:00:00Z"),
        (1_709_208_000, "2024-02-29T12:00:00Z"),
        (-0.5, "1969-12-31T23:59:59Z"),
        (2_147_483_648, "2038-01-19T03:14:08Z"),
    ],
)
def test_utc_in_whole_seconds_rounded_down(epoch: float, text: str) -> None:
    assert iso_timestamp(epoch) == text


@given(EPOCHS)
def test_reading_undoes_writing(epoch: int) -> None:
    text = iso_timestamp(epoch)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert epoch_from_iso(text) == epoch


@given(EPOCHS, EPOCHS)
def test_text_sorts_as_time_does(one: int, other: int) -> None:
    assert (iso_timestamp(one) < iso_timestamp(other)) == (one < other)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_the_machines_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert iso_timestamp(1_705_744_800) == "2024-01-20T10:00:00Z"
        assert epoch_from_iso("2024-01-20T10:00:00Z") == 1_705_744_800
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "1705744800",
        "2024-01-20",
        "2024-01-20T10:00:00",
        "2024-01-20T10:00:00+00:00",
        "2024-01-20T10:00:00.000Z",
        "2024-01-20 10:00:00Z",
        "2024-W03-6T10:00:00Z",
        "2024-02-30T10:00:00Z",
        "0001-01-01T00:00:00",
    ],
)
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not match|Invalid isoformat|out of range|must be in range"):
        epoch_from_iso(text)
