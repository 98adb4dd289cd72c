"""Storage of a pending enrolment: one conditional write, no read."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from functions.setup_mfa.encryption import SealedSecret
from functions.shared.aws import create_client, failing_closed
from functions.shared.clock import iso_timestamp
from functions.shared.contract import (
    ENTITY_TYPE,
    PENDING_LIFETIME_SECONDS,
    Attribute,
    Status,
    item_key,
)
from functions.shared.errors import MfaAlreadyEnabledError
from functions.shared.version import new_version

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UniversalAttributeValueTypeDef

#: The condition of a write that replaces no second factor that is on: an existing item that is not pending is enabled,
#: regardless of its age.
UNLESS_ENABLED: Final[Mapping[str, Any]] = {
    "ConditionExpression": "attribute_not_exists(#pk) OR #status = :pending",
    "ExpressionAttributeNames": {"#pk": Attribute.PK, "#status": Attribute.STATUS},
    "ExpressionAttributeValues": {":pending": {"S": Status.PENDING}},
}


@dataclass(frozen=True)
class PendingEnrolment:
    """An enrolment that is waiting for its first code.

    Attributes
    ----------
    user_id : str
        The user who enrols.
    sealed : SealedSecret
        The TOTP secret.
    backup_code_hashes : list of str
        Keyed hashes of the eight codes.
    backup_codes_salt : bytes
        The salt that the codes are derived with.
    created_at : float
        Epoch seconds.
    """

    user_id: str
    sealed: SealedSecret
    backup_code_hashes: list[str]
    backup_codes_salt: bytes
    created_at: float


class EnrolmentRepository(Protocol):
    """Stores pending enrolments."""

    def put_pending(self, enrolment: PendingEnrolment) -> None:
        """Store an enrolment, unless the user's second factor is on."""
        ...


class DynamoDbEnrolmentRepository:
    """Stores pending enrolments in the users' table.

    Parameters
    ----------
    table_name : str
        The table.
    client : DynamoDBClient
        A client; by default a new one for the life of the process.
    """

    def __init__(self, table_name: str, client: "DynamoDBClient | None" = None) -> None:
        self._table_name = table_name
        self._client: DynamoDBClient = client or create_client("dynamodb")

    def put_pending(self, enrolment: PendingEnrolment) -> None:
        """Store an enrolment, replacing one that is still pending.

        The condition is the whole check.

        Raises
        ------
        MfaAlreadyEnabledError
            The user's second factor is on; nothing was written.
        ServiceUnavailableError
            DynamoDB refused, throttled, timed out or could not be reached.
        """
        with failing_closed("dynamodb:PutItem"):
            try:
                self._client.put_item(
                    TableName=self._table_name,
                    Item=_item(enrolment),
                    **UNLESS_ENABLED,
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                raise MfaAlreadyEnabledError from None


def _item(enrolment: PendingEnrolment) -> "dict[str, UniversalAttributeValueTypeDef]":
    now = iso_timestamp(enrolment.created_at)
    expires_at = int(enrolment.created_at) + PENDING_LIFETIME_SECONDS
    return {
        **item_key(enrolment.user_id),
        Attribute.ENTITY_TYPE: {"S": ENTITY_TYPE},
        Attribute.STATUS: {"S": Status.PENDING},
        Attribute.ENCRYPTED_SECRET: {"S": enrolment.sealed.message},
        Attribute.IV: {"S": enrolment.sealed.iv},
        Attribute.BACKUP_CODES: {"L": [{"S": value} for value in enrolment.backup_code_hashes]},
        Attribute.BACKUP_CODES_USED: {"L": []},
        Attribute.BACKUP_CODES_SALT: {"S": base64.b64encode(enrolment.backup_codes_salt).decode()},
        Attribute.CREATED_AT: {"S": now},
        Attribute.UPDATED_AT: {"S": now},
        Attribute.EXPIRES_AT: {"N": str(expires_at)},
        Attribute.VERSION: {"N": str(new_version())},
    }
