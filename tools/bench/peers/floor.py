"""The lower limit of a function's cost in Python: its AWS calls with prepared data, and a constant response.

The handler generates, encrypts, checks, logs and counts nothing. A real handler's cost above this is its own work.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore.config import Config

#: The functions' time limits and retries. Else as the SDK is by default, so that the figures of all versions compare.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, max_pool_connections=2, tcp_keepalive=True)
_KEY_ARN = os.environ["MFA_ENCRYPTION_KEY"]
_TABLE = os.environ["USERS_TABLE_NAME"]
_CONTEXT = {"user_id": "6f1c2f1e-0a55-4a0e-9f6e-2f8b7a3f9d10", "purpose": "mfa-totp"}
_KEY = {"pk": {"S": f"USER#{_CONTEXT['user_id']}"}, "sk": {"S": "MFA#SECRET"}}
_RESPONSE = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps({"prepared": True})}
_CIPHERTEXT = bytes(184)
_ITEM = {
    **_KEY,
    "entity_type": {"S": "MFA_SECRET"},
    "status": {"S": "PENDING"},
    "encrypted_secret": {"S": "A" * 668},
    "iv": {"S": "AAAAAAAAAAAAAAAB"},
    "backup_codes": {"L": [{"S": "0" * 64}] * 8},
    "backup_codes_used": {"L": []},
    "backup_codes_salt": {"S": "A" * 24},
    "created_at": {"S": "2026-11-22T10:00:00Z"},
    "updated_at": {"S": "2026-11-22T10:00:00Z"},
    "expires_at": {"N": "1795341600"},
    "version": {"N": "123456789012345"},
}

session = botocore.session.get_session()
kms = session.create_client("kms", config=_CONFIG)
dynamodb = session.create_client("dynamodb", config=_CONFIG)


def _setup() -> None:
    kms.generate_data_key(KeyId=_KEY_ARN, NumberOfBytes=32, EncryptionContext=_CONTEXT)
    dynamodb.put_item(
        TableName=_TABLE,
        Item=_ITEM,
        ConditionExpression="attribute_not_exists(#pk) OR #status = :pending",
        ExpressionAttributeNames={"#pk": "pk", "#status": "status"},
        ExpressionAttributeValues={":pending": {"S": "PENDING"}},
    )


def _verify() -> None:
    dynamodb.get_item(TableName=_TABLE, Key=_KEY, ConsistentRead=True)
    kms.decrypt(CiphertextBlob=_CIPHERTEXT, KeyId=_KEY_ARN, EncryptionContext=_CONTEXT)
    dynamodb.update_item(
        TableName=_TABLE,
        Key=_KEY,
        UpdateExpression="SET #step = :step, #version = :next, #updated = :updated, #request = :request",
        ConditionExpression="#sk = :sk AND #version = :version",
        ExpressionAttributeNames={
            "#sk": "sk",
            "#step": "last_used_step",
            "#version": "version",
            "#updated": "updated_at",
            "#request": "last_request_id",
        },
        ExpressionAttributeValues={
            ":sk": {"S": "MFA#SECRET"},
            ":version": {"N": "123456789012345"},
            ":step": {"N": "59844720"},
            ":next": {"N": "123456789012346"},
            ":updated": {"S": "2026-11-22T10:00:00Z"},
            ":request": {"S": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"},
        },
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )


_CALLS: Mapping[str, Callable[[], None]] = {"/auth/mfa/setup": _setup, "/auth/mfa/verify": _verify}


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Make the route's calls."""
    _CALLS[event["path"]]()
    return _RESPONSE
