"""The report on many users."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.shared.clock import iso_timestamp
from tests.support.aws_calls import Failure
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.life_cycle import START
from tests.support.stream_records import hashes, item, pending
from tests.tools.operator.conftest import Outcome, answering
from tools.operator.report import SEGMENTS, UsersScan

NOW = {"S": iso_timestamp(START)}
USERS: dict[str, dict[str, Any]] = {
    "fine": item("fine"),
    "older": item("older", status=None, version=None, last_request_id=None),
    "locked": item("locked", backup_failed_attempts={"N": "5"}, backup_last_failed_at=NOW),
    "was-locked": item("was-locked", failed_attempts={"N": "5"}, last_failed_at={"S": "2027-01-15T07:00:00Z"}),
    "low": item("low", backup_codes=hashes(0, 2)),
    "imported": item("imported", backup_codes=hashes(0, 0), last_request_id={"S": "import:1"}),
    "pending": pending("pending"),
    "expired": pending("expired", expires_at={"N": str(int(START))}),
    "damaged": item("damaged", failed_attempts={"S": "three"}),
}
COUNTS = {
    "enabled": 6,
    "locked": 1,
    "low-on-backup-codes": 2,
    "imported-never-used": 1,
    "pending": 1,
    "expired": 1,
    "damaged": 1,
}


def pool_of(*users: str) -> Failure:
    return answering(Users=[{"Attributes": [{"Name": "sub", "Value": user}]} for user in users])


@pytest.fixture
def stored(aws: EmbeddedAws) -> EmbeddedAws:
    for each in USERS.values():
        aws.dynamodb.put_item(TableName=TABLE_NAME, Item=each)
    aws.dynamodb.put_item(TableName=TABLE_NAME, Item={"pk": {"S": "OTHER#1"}, "sk": {"S": "x"}})
    return aws


@pytest.fixture
def report(stored: EmbeddedAws, run_command: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Return a function that makes a report on the stored users."""
    return lambda *options: run_command("report", f"--table={TABLE_NAME}", *options)


def test_users_are_counted_by_state_after_the_cost_is_said(report: Callable[..., Outcome]) -> None:
    outcome = report("--json")
    assert (outcome.status, outcome.printed) == (0, COUNTS)
    assert f"Reading about 10 items of {TABLE_NAME} in us-east-1: {SEGMENTS} read units" in outcome.shown


def test_people_get_a_table_with_the_meanings(report: Callable[..., Outcome]) -> None:
    outcome = report()
    assert outcome.out == ""
    assert "locked" in outcome.shown
    assert "a factor is locked now" in outcome.shown


@pytest.mark.parametrize(
    ("state", "users"),
    [
        ("enabled", {"fine", "older", "locked", "was-locked", "low", "imported"}),
        ("locked", {"locked"}),
        ("low-on-backup-codes", {"low", "imported"}),
        ("imported-never-used", {"imported"}),
        ("pending", {"pending"}),
        ("expired", {"expired"}),
        ("damaged", {"damaged"}),
    ],
)
def test_the_users_of_a_state_are_listed(report: Callable[..., Outcome], state: str, users: set[str]) -> None:
    listed = report("--list", state).out.splitlines()
    assert (len(listed), set(listed)) == (len(users), users)


def test_users_of_the_pool_without_a_second_factor_are_counted_and_listed(
    report: Callable[..., Outcome], stored: EmbeddedAws
) -> None:
    with stored.calls.recorded({"cognito-idp:ListUsers": pool_of("fine", "pending", "nobody")}):
        assert report("--json", "--user-pool=pool").printed == {**COUNTS, "none": 2}
        assert report("--list=none", "--user-pool=pool").out.splitlines() == ["pending", "nobody"]


def test_no_secret_is_read(report: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    page = UsersScan._page

    def recorded(*arguments: Any) -> Any:
        read.append(page(*arguments))
        return read[-1]

    monkeypatch.setattr(UsersScan, "_page", recorded)
    report()
    assert sum(len(each["Items"]) for each in read) == 10
    for secret in ("encrypted_secret", "iv", "backup_codes_salt"):
        assert secret not in json.dumps(read)


def test_the_scan_reads_every_item_and_keeps_to_its_rate(aws: EmbeddedAws) -> None:
    for number in range(1100):
        aws.dynamodb.put_item(TableName=TABLE_NAME, Item={"pk": {"S": f"USER#{number}"}, "sk": {"S": "x"}})
    pages: list[float] = []
    aws.dynamodb.meta.events.register(
        "after-call.dynamodb.Scan", lambda parsed, **_: pages.append(parsed["ConsumedCapacity"]["CapacityUnits"])
    )
    pauses: list[float] = []
    scan = UsersScan(TABLE_NAME, aws.dynamodb, units_per_second=0.001, sleep=pauses.append)
    assert {user_id for user_id, _ in scan.users()} == {str(number) for number in range(1100)}
    assert len(pages) > SEGMENTS
    assert max(pauses) == pytest.approx(sum(pages) / 0.001, rel=0.01)
