import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import dynamodb

from local.emulator import expiry
from tests.support.emulator import table

_TABLE = "expiring"
_ITEM = {"pk": {"S": "USER#1"}, "expires_at": {"N": "1"}}


class _EndOfRound(BaseException):
    """The sweeper goes to sleep for the second time."""


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts an expired item, runs MiniStack's sweeper once, and returns what remains."""
    naps = iter([None])

    def sleep(_seconds: float) -> None:
        if next(naps, _EndOfRound) is _EndOfRound:
            raise _EndOfRound

    def sweep() -> Any:
        with request_scope("000000000000", "us-east-1"):
            dynamodb._create_table(table()["Properties"] | {"TableName": _TABLE})
            try:
                specification = {"AttributeName": "expires_at", "Enabled": True}
                dynamodb._update_ttl({"TableName": _TABLE, "TimeToLiveSpecification": specification})
                described = json.loads(dynamodb._describe_ttl({"TableName": _TABLE})[2])
                assert described["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
                dynamodb._put_item({"TableName": _TABLE, "Item": _ITEM})
                with pytest.raises(_EndOfRound):
                    dynamodb._ttl_reaper()
                got = dynamodb._get_item({"TableName": _TABLE, "Key": {"pk": _ITEM["pk"]}})
                return json.loads(got[2]).get("Item")
            finally:
                dynamodb._delete_table({"TableName": _TABLE})

    monkeypatch.setattr(dynamodb, "time", SimpleNamespace(sleep=sleep, time=time.time))
    return sweep


def test_an_expired_item_stays(swept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "_ttl_settings", dynamodb._ttl_settings)  # restored after the test
    expiry.expired_items_stay()
    assert swept() == _ITEM


def test_without_the_gap_filled_it_is_deleted(swept: Any) -> None:
    assert swept() is None
