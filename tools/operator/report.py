"""The command that counts the users of a table by state, with a parallel scan of limited rate."""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from functions.shared.aws import failing_closed
from functions.shared.clock import Clock
from functions.shared.contract import (
    BACKUP_CODES_LOW_AT,
    IMPORT_REQUEST_PREFIX,
    Attribute,
    Factor,
    partition_key,
)
from functions.shared.record import Item, RecordDamagedError, record_from_item
from tools.operator.aws import PATIENT, OperatorAws
from tools.operator.output import print_counts, print_json, say

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

#: Scanned at the same time.
SEGMENTS: Final = 4
#: The most items that one ``Scan`` request reads.
_ITEMS_PER_PAGE: Final = 250
#: The attributes that decide a user's states, without the sealed secrets.
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


def report(options: argparse.Namespace, clock: Clock) -> int:
    """Count the users of a table."""
    aws = OperatorAws(options)
    table = aws.table()
    compared = options.user_pool is not None or options.list == UserState.NONE
    pool = aws.user_pool() if compared else None
    scan = UsersScan(table, aws.session.client("dynamodb", config=PATIENT), units_per_second=options.rate)
    items, units = scan.cost()
    say(
        f"Reading about {items:,} items of {table} in {aws.region}: {units:,} read units, "
        f"at most {options.rate:.0f} in a second, at least {units / options.rate:.0f} s."
    )
    now = clock()
    counts: Counter[UserState] = Counter()
    enabled: set[str] = set()

    def count(user_id: str, states: set[UserState]) -> None:
        counts.update(states)
        if options.list in states:
            print(user_id)

    for user_id, item in scan.users():
        states = states_of(user_id, item, now)
        count(user_id, states)
        if compared and UserState.ENABLED in states:
            enabled.add(user_id)
    for user_id in aws.pool_users(pool) if pool else ():
        if user_id not in enabled:
            count(user_id, {UserState.NONE})
    shown = {str(state): counts[state] for state in UserState if compared or state is not UserState.NONE}
    if options.json and options.list is None:
        print_json(shown)
    else:
        print_counts(shown, {str(state): meaning for state, meaning in MEANING.items()})
    return 0


class UsersScan:
    """Reads every user's item without its secrets.

    It consumes at most ``units_per_second`` read units, so that logins are not throttled.
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

    def cost(self) -> tuple[int, int]:
        """Return the items and read units of a scan, as DynamoDB last counted them (about every six hours)."""
        with failing_closed("dynamodb:DescribeTable"):
            table = self._client.describe_table(TableName=self._table_name)["Table"]
        return table.get("ItemCount", 0), max(SEGMENTS, -(-table.get("TableSizeBytes", 0) // _BYTES_PER_UNIT))

    def users(self) -> Iterator[tuple[str, Item]]:
        """Yield the users' ids and items, in no order."""
        prefix = partition_key("")
        for item in self._items():
            key = str(item[Attribute.PK].get("S", ""))
            if key.startswith(prefix):
                yield key.removeprefix(prefix), item

    def _items(self) -> Iterator[Item]:
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


def states_of(user_id: str, item: Item, now: float) -> set[UserState]:
    """Return the states of a user's item."""
    try:
        record = record_from_item(user_id, item)
    except RecordDamagedError:
        return {UserState.DAMAGED}
    if not record.enabled:
        return {UserState.PENDING if now < (record.expires_at or 0) else UserState.EXPIRED}
    states = {UserState.ENABLED}
    if any(record.failures(factor).retry_after(now) != 0 for factor in Factor):
        states.add(UserState.LOCKED)
    if len(record.backup_codes) <= BACKUP_CODES_LOW_AT:
        states.add(UserState.LOW_ON_BACKUP_CODES)
    if item.get(Attribute.LAST_REQUEST_ID, {}).get("S", "").startswith(IMPORT_REQUEST_PREFIX):
        states.add(UserState.IMPORTED_NEVER_USED)
    return states
