"""Imports users of another system: seals their secrets and stores them, unless a second factor is on already."""

import base64
import os
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from functions.setup_mfa.encryption import SealedSecret, Sealer
from functions.setup_mfa.repository import UNLESS_ENABLED
from functions.shared.aws import failing_closed
from functions.shared.backup_codes import SALT_BYTES
from functions.shared.clock import Clock, iso_timestamp
from functions.shared.contract import (
    ENTITY_TYPE,
    IMPORT_REQUEST_PREFIX,
    Attribute,
    Status,
    item_key,
)
from functions.shared.version import new_version
from tools.operator.aws import WORKERS
from tools.operator.import_file import ImportedUser, LineRefusal, LineRefusedError, parse_line

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

#: Lines that are read ahead of the workers.
_AHEAD: Final = 4 * WORKERS

type NumberedLine = tuple[int, bytes]


class LineResult(StrEnum):
    """The result of a line that is not refused."""

    IMPORTED = "imported"
    ALREADY_THERE = "already_there"


@dataclass(frozen=True)
class ProcessedLine:
    """A line and its result."""

    number: int
    size: int
    result: LineResult | LineRefusal
    weak: bool = False


@dataclass
class ImportReport:
    """The counts of an import; it grows with the number of reasons, not with the number of users.

    Attributes
    ----------
    results : Counter
        The number of lines by result.
    weak : int
        Imported users whose secret is shorter than recommended.
    """

    results: Counter[LineResult | LineRefusal] = field(default_factory=Counter)
    weak: int = 0

    def add(self, line: ProcessedLine) -> None:
        """Count a line."""
        self.results[line.result] += 1
        self.weak += line.weak

    def refused(self) -> dict[str, int]:
        """Return the number of refused lines by reason, the most frequent one first."""
        return {str(each): count for each, count in self.results.most_common() if isinstance(each, LineRefusal)}


class ImportRepository:
    """Stores imported users. Nothing here overwrites an enabled second factor.

    A pending enrolment is replaced (docs/adr/0010): anyone who knows a user's password can start one.
    """

    def __init__(self, table_name: str, client: "DynamoDBClient") -> None:
        self._table_name = table_name
        self._client = client

    def has(self, user_id: str) -> bool:
        """Return whether a user's second factor is on."""
        with failing_closed("dynamodb:GetItem"):
            found = self._client.get_item(
                TableName=self._table_name,
                Key=item_key(user_id),
                ProjectionExpression="#pk, #status",
                ExpressionAttributeNames={"#pk": Attribute.PK, "#status": Attribute.STATUS},
                ConsistentRead=True,
            )
        return "Item" in found and found["Item"].get(Attribute.STATUS) != {"S": Status.PENDING}

    def put(self, user_id: str, sealed: SealedSecret, *, request_id: str, now: float) -> bool:
        """Store a user as enabled and without backup codes; return False if a second factor is on already.

        A write whose response was lost is sent again, and finds its own version stored.
        """
        version = {"N": str(new_version())}
        with failing_closed("dynamodb:PutItem"):
            try:
                self._client.put_item(
                    TableName=self._table_name,
                    Item=_item(user_id, sealed, request_id, iso_timestamp(now)) | {Attribute.VERSION: version},
                    **UNLESS_ENABLED,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                stored: dict[str, Any] = error.response.get("Item", {})
                return stored.get(Attribute.VERSION) == version
        return True


def _item(user_id: str, sealed: SealedSecret, request_id: str, now: str) -> dict[str, Any]:
    return item_key(user_id) | {
        Attribute.ENTITY_TYPE: {"S": ENTITY_TYPE},
        Attribute.STATUS: {"S": Status.ENABLED},
        Attribute.ENCRYPTED_SECRET: {"S": sealed.message},
        Attribute.IV: {"S": sealed.iv},
        Attribute.BACKUP_CODES: {"L": []},
        Attribute.BACKUP_CODES_USED: {"L": []},
        # No code belongs to this salt. Without one, a backup code would cause a 500 instead of being a wrong code.
        Attribute.BACKUP_CODES_SALT: {"S": base64.b64encode(os.urandom(SALT_BYTES)).decode()},
        Attribute.CREATED_AT: {"S": now},
        Attribute.UPDATED_AT: {"S": now},
        Attribute.ENABLED_AT: {"S": now},
        Attribute.LAST_REQUEST_ID: {"S": request_id},
    }


@dataclass(frozen=True, kw_only=True)
class Importer:
    """Imports lines, several at a time. A dry run checks everything, but does not encrypt or store a secret."""

    repository: ImportRepository
    sealer: Sealer
    clock: Clock
    dry_run: bool = False
    request_id: str = field(default_factory=lambda: f"{IMPORT_REQUEST_PREFIX}{uuid.uuid4()}")
    #: In a dry run, the first line of each user: a later one would find the user there.
    _first_lines: dict[str, int] = field(default_factory=dict)

    def process(self, lines: Iterable[NumberedLine]) -> Iterator[ProcessedLine]:
        """Yield the result of each line, in order; lines are read only as far ahead as the workers need.

        Raises
        ------
        ServiceUnavailableError
            AWS refused, or still throttles after many attempts. The lines before are done.
        """
        pool = ThreadPoolExecutor(WORKERS)
        waiting: deque[Future[ProcessedLine]] = deque()
        try:
            for line in lines:
                waiting.append(pool.submit(self._process, line))
                if len(waiting) >= _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _process(self, numbered: NumberedLine) -> ProcessedLine:
        number, line = numbered
        try:
            user = parse_line(line)
        except LineRefusedError as error:
            return ProcessedLine(number, len(line), error.refusal)
        if not self._store(user, number):
            return ProcessedLine(number, len(line), LineResult.ALREADY_THERE)
        return ProcessedLine(number, len(line), LineResult.IMPORTED, user.weak)

    def _store(self, user: ImportedUser, number: int) -> bool:
        # The read comes first, so that a repeated import costs no call of KMS for users who are there.
        if self.repository.has(user.user_id):
            return False
        if self.dry_run:
            return self._first_lines.setdefault(user.user_id, number) == number
        sealed = self.sealer.seal(user.secret, user_id=user.user_id)
        return self.repository.put(user.user_id, sealed, request_id=self.request_id, now=self.clock())
