"""Counts a table's users by the state of their second factor, with a parallel scan of limited rate."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from functions.shared.aws import failing_closed
from functions.shared.contract import (
    BACKUP_CODES_LOW_AT,
    IMPORT_REQUEST_PREFIX,
    Attribute,
    Factor,
    partition_key,
)
from functions.shared.record import Item, MfaRecord, RecordDamagedError, record_from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

#: Scanned at the same time.
SEGMENTS: Final = 4
_ITEMS_PER_PAGE: Final = 250
#: What the states need; it leaves the sealed secrets out.
_ATTRIBUTES: Final = (
    Attribute.PK,
    Attribute.STATUS,
    Attribute.BACKUP_CODES,
    Attribute.EXPIRES_AT,
    Attribute.FAILED_ATTEMPTS,
    Attribute.LAST_FAILED_AT,
    Attribute.BACKUP_FAILED_ATTEMPTS,
    Attribute.BACKUP_LAST_FAILED_AT,
    Attribute.LAST_REQUEST_ID,
)
_BYTES_PER_UNIT: Final = 8192
"""An eventually consistent read unit reads two blocks of 4 KB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""
_USER: Final = partition_key("")


class UserState(StrEnum):
    """States that users are counted and listed by; a user can be in several."""

    ENABLED = "enabled"
    LOCKED = "locked"
    LOW_ON_BACKUP_CODES = "low-on-backup-codes"
    IMPORTED_NEVER_USED = "imported-never-used"
    PENDING = "pending"
    EXPIRED = "expired"
    DAMAGED = "damaged"
    NONE = "none"


MEANING: Final = {
    UserState.ENABLED: "second factor on",
    UserState.LOCKED: "a factor is locked now",
    UserState.LOW_ON_BACKUP_CODES: f"at most {BACKUP_CODES_LOW_AT} backup codes left",
    UserState.IMPORTED_NEVER_USED: "imported, and no code entered since",
    UserState.PENDING: "enrolment not yet confirmed",
    UserState.EXPIRED: "enrolment not confirmed in time",
    UserState.DAMAGED: "the item does not have the form that the service writes",
    UserState.NONE: "in the user pool, without a second factor",
}


@dataclass(frozen=True)
class ScanCost:
    """What a scan of the whole table reads, as DynamoDB last counted it (about every six hours)."""

    items: int
    size: int

    @property
    def units(self) -> int:
        """Read units that the scan consumes."""
        return max(SEGMENTS, -(-self.size // _BYTES_PER_UNIT))


class UsersScan:
    """Reads every item of the table without its secrets.

    Parameters
    ----------
    table_name : str
        The users' table.
    client : DynamoDBClient
        A client.
    units_per_second : float
        The most read units to consume, so that logins keep theirs.
    """

    def __init__(
        self,
        table_name: str,
        client: "DynamoDBClient",
        *,
        units_per_second: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table_name = table_name
        self._client = client
        self._units_per_second = units_per_second
        self._sleep = sleep

    def cost(self) -> ScanCost:
        """Return what the scan will read."""
        with failing_closed("dynamodb:DescribeTable"):
            table = self._client.describe_table(TableName=self._table_name)["Table"]
        return ScanCost(table.get("ItemCount", 0), table.get("TableSizeBytes", 0))

    def items(self) -> Iterator[Item]:
        """Yield the items, in no order."""
        with ThreadPoolExecutor(SEGMENTS) as pool:
            waiting = {pool.submit(self._page, segment, {}): segment for segment in range(SEGMENTS)}
            began, units = time.monotonic(), 0.0
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for each in done:
                    segment, page = waiting.pop(each), each.result()
                    yield from page["Items"]
                    units += page.get("ConsumedCapacity", {}).get("CapacityUnits", 0)
                    self._sleep(max(0.0, units / self._units_per_second - (time.monotonic() - began)))
                    if "LastEvaluatedKey" in page:
                        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
                        waiting[pool.submit(self._page, segment, start)] = segment

    def _page(self, segment: int, start: dict[str, Any]) -> Any:  # noqa: ANN401 -- a response of boto3
        with failing_closed("dynamodb:Scan"):
            return self._client.scan(
                TableName=self._table_name,
                Segment=segment,
                TotalSegments=SEGMENTS,
                Limit=_ITEMS_PER_PAGE,
                ProjectionExpression=", ".join(f"#{name}" for name in _ATTRIBUTES),
                ExpressionAttributeNames={f"#{name}": name for name in _ATTRIBUTES},
                ReturnConsumedCapacity="TOTAL",
                **start,
            )


@dataclass
class UsersReport:
    """The number of users in each state.

    Attributes
    ----------
    counts : Counter
        Users by state.
    enabled : set of str
        The users with a second factor, if they are compared with a user pool.
    """

    counts: Counter[UserState] = field(default_factory=Counter)
    enabled: set[str] = field(default_factory=set)

    def add(self, items: Iterable[Item], now: float, *, compared: bool) -> Iterator[tuple[str, set[UserState]]]:
        """Count items, and yield each user with their states."""
        for item in items:
            key = str(item[Attribute.PK].get("S", ""))
            if not key.startswith(_USER):
                continue
            user_id = key.removeprefix(_USER)
            states = states_of(user_id, item, now)
            self.counts.update(states)
            if compared and UserState.ENABLED in states:
                self.enabled.add(user_id)
            yield user_id, states

    def add_pool(self, users: Iterable[str]) -> Iterator[tuple[str, set[UserState]]]:
        """Count the users of a pool who have no second factor, and yield them."""
        for user_id in users:
            if user_id not in self.enabled:
                self.counts[UserState.NONE] += 1
                yield user_id, {UserState.NONE}


def states_of(user_id: str, item: Item, now: float) -> set[UserState]:
    """Return the states of a user's item."""
    try:
        record = record_from_item(user_id, item)
        request_id = str(item.get(Attribute.LAST_REQUEST_ID, {}).get("S", ""))
    except (RecordDamagedError, AttributeError):
        return {UserState.DAMAGED}
    if not record.enabled:
        return {UserState.PENDING if now < (record.expires_at or 0) else UserState.EXPIRED}
    states = {UserState.ENABLED}
    if any(_is_locked(record, factor, now) for factor in Factor):
        states.add(UserState.LOCKED)
    if len(record.backup_codes) <= BACKUP_CODES_LOW_AT:
        states.add(UserState.LOW_ON_BACKUP_CODES)
    if request_id.startswith(IMPORT_REQUEST_PREFIX):
        states.add(UserState.IMPORTED_NEVER_USED)
    return states


def _is_locked(record: MfaRecord, factor: Factor, now: float) -> bool:
    until = record.failures(factor).locked_until()
    return until is not None and until > now
