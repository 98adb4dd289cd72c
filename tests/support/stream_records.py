"""Records of the table's stream, as Lambda passes them to the function."""

import itertools
from typing import Any

from functions.shared.contract import SecurityEventType

WRITTEN_AT = 1_800_000_000
WRITTEN_AT_ISO = "2027-01-15T08:00:00Z"
STREAM_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/users/stream/2027-01-01T00:00:00.000"

type Item = dict[str, Any]

_numbers = itertools.count(1)


def published_by(client: Any) -> list[dict[str, Any]]:
    """Return a list that collects the entries that an EventBridge client sends."""
    entries: list[dict[str, Any]] = []
    client.meta.events.register(
        "provide-client-params.events.PutEvents", lambda params, **_: entries.extend(params["Entries"])
    )
    return entries


def item(user_id: str = "user-1", **attributes: Any) -> Item:
    """Return an enabled item as the service writes it; an attribute given as None is left out."""
    full: Item = {
        "pk": {"S": f"USER#{user_id}"},
        "sk": {"S": "MFA#SECRET"},
        "entity_type": {"S": "MFA_SECRET"},
        "status": {"S": "ENABLED"},
        "encrypted_secret": {"S": "c2VhbGVkIHNlY3JldA=="},
        "iv": {"S": "AAAAAAAAAAAAAAAB"},
        "backup_codes": hashes(0, 8),
        "backup_codes_used": hashes(0, 0),
        "backup_codes_salt": {"S": "c2FsdCBzYWx0IHNhbHQgIQ=="},
        "created_at": {"S": "2027-01-15T07:00:00Z"},
        "updated_at": {"S": "2027-01-15T07:00:30Z"},
        "enabled_at": {"S": "2027-01-15T07:00:30Z"},
        "last_used_step": {"N": "60000000"},
        "last_request_id": {"S": "request-1"},
        "version": {"N": "1000"},
    }
    return {name: value for name, value in (full | attributes).items() if value is not None}


def pending(user_id: str = "user-1", **attributes: Any) -> Item:
    """Return an item that is waiting for its first code."""
    return item(
        user_id,
        **{
            "status": {"S": "PENDING"},
            "enabled_at": None,
            "last_used_step": None,
            "last_request_id": None,
            "expires_at": {"N": str(WRITTEN_AT + 600)},
            **attributes,
        },
    )


OPERATOR = {"S": "operator:0b7b3d0e-6a52-4ad3-8d2c-6d0d8f6f2f11"}


def reset() -> Item:
    """Return what an operator's reset leaves of an item."""
    return pending(
        encrypted_secret=None,
        iv=None,
        backup_codes=hashes(0, 0),
        backup_codes_salt=None,
        last_request_id=OPERATOR,
    )


def hashes(start: int, end: int) -> dict[str, Any]:
    """Return a list of keyed hashes, in DynamoDB's form."""
    return {"L": [{"S": f"{number:064x}"} for number in range(start, end)]}


def stream_record(
    old: Item | None, new: Item | None, *, written_at: float = WRITTEN_AT, **overrides: Any
) -> dict[str, Any]:
    """Return the record of one write of an item; none or empty is absent. Each has its own id and sequence number."""
    name = "INSERT" if not old else "REMOVE" if not new else "MODIFY"
    number = next(_numbers)
    image = new or old or {}
    images = {key: each for key, each in (("OldImage", old), ("NewImage", new)) if each}
    return {
        "eventID": f"stream-event-{number}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": STREAM_ARN,
        "dynamodb": {
            "ApproximateCreationDateTime": float(written_at),
            "Keys": {key: image[key] for key in ("pk", "sk")},
            "SequenceNumber": f"{number:021d}",
            "SizeBytes": 1200,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **images,
        },
        **overrides,
    }


def expiry() -> dict[str, Any]:
    """Return the additional members of a record when DynamoDB deleted the expired item."""
    return {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}


def enabling(user_id: str = "user-1") -> dict[str, Any]:
    """Return the record of an enrolment confirmed."""
    return stream_record(pending(user_id), item(user_id))


def using_a_backup_code(user_id: str = "user-1") -> dict[str, Any]:
    """Return the record of a backup code used."""
    return stream_record(item(user_id), item(user_id, backup_codes=hashes(1, 8), backup_codes_used=hashes(0, 1)))


def login(user_id: str = "user-1") -> dict[str, Any]:
    """Return the record of a login, which causes no event."""
    return stream_record(item(user_id), item(user_id, last_used_step={"N": "60000001"}))


def damaged(user_id: str = "user-1") -> dict[str, Any]:
    """Return a record that cannot be read."""
    return stream_record(item(user_id), item(user_id, failed_attempts={"S": "three"}))


def failed(count: int, **attributes: Any) -> Item:
    """Return an item with so many wrong TOTP codes in a row."""
    return item(**{"failed_attempts": {"N": str(count)}, "last_failed_at": {"S": WRITTEN_AT_ISO}, **attributes})


NEW_SALT = {"S": "b3RoZXIgc2FsdCBzYWx0IQ=="}
NEW_SECRET = {"S": "bWluZQ=="}
#: A time step at the write, just used.
USED_NOW: Item = {"last_used_step": {"N": str(WRITTEN_AT // 30 + 1)}}

#: A write that causes each type of event, and no other.
OF_EACH_TYPE = {
    SecurityEventType.MFA_ENABLED: enabling(),
    SecurityEventType.MFA_DISABLED: stream_record(item(), None),
    SecurityEventType.BACKUP_CODE_USED: using_a_backup_code(),
    SecurityEventType.BACKUP_CODES_REGENERATED: stream_record(
        item(), item(backup_codes=hashes(10, 18), backup_codes_salt=NEW_SALT, **USED_NOW)
    ),
    SecurityEventType.MFA_LOCKED: stream_record(failed(4), failed(5)),
    SecurityEventType.MFA_UNLOCKED: stream_record(failed(100), item(last_request_id=OPERATOR)),
    SecurityEventType.MFA_USED_AFTER_FAILURES: stream_record(failed(4), item(**USED_NOW)),
    SecurityEventType.MFA_RECORD_TAMPERED: stream_record(item(), item(encrypted_secret=NEW_SECRET)),
}
