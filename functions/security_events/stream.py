"""A record of the table's stream, read as one write to one user's item: before and after.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html shows the form of the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.contract import IMPORT_REQUEST_PREFIX, OPERATOR_REQUEST_PREFIX, Attribute, partition_key
from functions.shared.record import Item, MfaRecord, RecordDamagedError, record_from_item

type StreamRecord = Mapping[str, Any]
"""One element of ``event["Records"]``."""

_PARTITION_KEY_PREFIX: Final = partition_key("")
#: The principal that deletes expired items:
#: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
_TTL_PRINCIPAL: Final = "dynamodb.amazonaws.com"
_IMAGES: Final = {"INSERT": (False, True), "MODIFY": (True, True), "REMOVE": (True, False)}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One write to a user's item.

    Attributes
    ----------
    stream_event_id : str
        The stream's id of the write, the same at every delivery.
    user_id : str
        The user whose item it is.
    written_at : int
        Epoch seconds.
    old, new : MfaRecord or None
        The record before and after; None if there was none.
    changed : frozenset of str
        The attributes that differ between the two.
    request_id : str or None
        The request that wrote ``new``.
    expired : bool
        Whether DynamoDB's TTL deleted the item.
    """

    stream_event_id: str
    user_id: str
    written_at: int
    old: MfaRecord | None
    new: MfaRecord | None
    changed: frozenset[str]
    request_id: str | None
    expired: bool

    @property
    def by_operator(self) -> bool:
        """Whether this write names an operator's command as its writer."""
        return self._names(OPERATOR_REQUEST_PREFIX)

    @property
    def by_import(self) -> bool:
        """Whether this write names an operator's import as its writer."""
        return self._names(IMPORT_REQUEST_PREFIX)

    def _names(self, prefix: str) -> bool:
        # The id of an earlier command stays in the item, so it counts only if this write has set it.
        return Attribute.LAST_REQUEST_ID in self.changed and (self.request_id or "").startswith(prefix)


def sequence_number(record: StreamRecord) -> str:
    """Return a record's place in its shard, from which Lambda can retry."""
    return str(record["dynamodb"]["SequenceNumber"])


def user_id_of(record: StreamRecord) -> str | None:
    """Return the user that a record belongs to, or None if its key is not one of this service."""
    try:
        key = record["dynamodb"]["Keys"][Attribute.PK]["S"]
        return str(key).removeprefix(_PARTITION_KEY_PREFIX) if str(key).startswith(_PARTITION_KEY_PREFIX) else None
    except (KeyError, TypeError):
        return None


def change_from_record(record: StreamRecord) -> Change:
    """Return the write that a record describes.

    Raises
    ------
    RecordDamagedError
        The record or an image in it does not have the form that DynamoDB and this service write. Retrying does not
        help.
    """
    user_id = user_id_of(record)
    if user_id is None:
        raise RecordDamagedError
    try:
        written = record["dynamodb"]
        old, new = written.get("OldImage"), written.get("NewImage")
        if _IMAGES[record["eventName"]] != (old is not None, new is not None):
            raise RecordDamagedError
        return Change(
            stream_event_id=str(record["eventID"]),
            user_id=user_id,
            written_at=int(written["ApproximateCreationDateTime"]),
            old=None if old is None else record_from_item(user_id, old),
            new=None if new is None else record_from_item(user_id, new),
            changed=_changed(old or {}, new or {}),
            request_id=None if new is None else _request_id(new),
            expired=_TTL_PRINCIPAL in _principals(record.get("userIdentity") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordDamagedError from error


def _changed(old: Item, new: Item) -> frozenset[str]:
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _request_id(item: Item) -> str | None:
    return str(item[Attribute.LAST_REQUEST_ID]["S"]) if Attribute.LAST_REQUEST_ID in item else None


def _principals(identity: Mapping[str, str]) -> tuple[str | None, ...]:
    """Return who wrote a record; Lambda and the stream's API spell the member differently."""
    return identity.get("principalId"), identity.get("PrincipalId")
