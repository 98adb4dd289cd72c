"""The users' table after enrolment: one read, then one conditional write that decides.

Compare-and-swap on ``version``: a request that read an older state writes nothing. So only one of several parallel
guesses is checked, and the others learn nothing.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from functions.shared.aws import create_client, failing_closed, retry_truncated_responses
from functions.shared.clock import iso_timestamp
from functions.shared.contract import SORT_KEY, Attribute, item_key
from functions.shared.errors import ConflictError
from functions.shared.record import MfaRecord, changed_attributes, record_from_item
from functions.shared.version import new_version

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_CONDITION_FAILED = "ConditionalCheckFailedException"


class MfaRepository(Protocol):
    """Stores the state of each user's second factor."""

    def get(self, user_id: str) -> MfaRecord | None:
        """Return a user's record, or None."""
        ...

    def swap(self, old: MfaRecord, new: MfaRecord, *, request_id: str, now: float) -> MfaRecord:
        """Replace ``old`` by ``new``, or raise `ConflictError` if ``old`` is no longer stored."""
        ...

    def remove(self, old: MfaRecord) -> None:
        """Remove ``old``, or raise `ConflictError` if ``old`` is no longer stored."""
        ...


class DynamoDbMfaRepository:
    """Stores records in the users' table.

    Every method raises `ServiceUnavailableError` if DynamoDB refuses, throttles, times out or cannot be reached.

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
        retry_truncated_responses(self._client, "dynamodb.GetItem")

    def get(self, user_id: str) -> MfaRecord | None:
        """Return a user's record by a strongly consistent read, or None.

        Raises
        ------
        RecordDamagedError
            The item does not have the form that the service writes.
        """
        with failing_closed("dynamodb:GetItem"):
            item = self._client.get_item(TableName=self._table_name, Key=item_key(user_id), ConsistentRead=True).get(
                "Item"
            )
        return None if item is None else record_from_item(user_id, item)

    def swap(self, old: MfaRecord, new: MfaRecord, *, request_id: str, now: float) -> MfaRecord:
        """Write the difference between two records, if ``old`` is still stored.

        A pending enrolment must also not have expired. The new version identifies this write: if the response to a
        first attempt is lost and the client retries, the second attempt finds the version that it wrote itself and
        succeeds. The request id cannot serve for this, because callers can choose it.

        Returns
        -------
        MfaRecord
            The record as it is stored now: ``new`` with its new version and time.

        Raises
        ------
        ConflictError
            Another request wrote first; this one wrote nothing.
        """
        new = replace(new, version=new_version(), updated_at=int(now))
        version = {"N": str(new.version)}
        changes = changed_attributes(old, new) | {
            Attribute.VERSION: version,
            Attribute.UPDATED_AT: {"S": iso_timestamp(now)},
            Attribute.LAST_REQUEST_ID: {"S": request_id},
        }
        condition, names, values = _still(old)
        if not old.enabled:
            condition += " AND #expires_at > :now"
            values[":now"] = {"N": str(int(now))}
            names["#expires_at"] = Attribute.EXPIRES_AT
        names |= {f"#{name}": name for name in changes}
        values |= {f":new_{name}": value for name, value in changes.items() if value is not None}
        with failing_closed("dynamodb:UpdateItem"):
            try:
                self._client.update_item(
                    TableName=self._table_name,
                    Key=item_key(old.user_id),
                    UpdateExpression=_update_expression(changes),
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != _CONDITION_FAILED:
                    raise
                stored: dict[str, Any] = error.response.get("Item", {})
                if stored.get(Attribute.VERSION) != version:
                    raise ConflictError from None
        return new

    def remove(self, old: MfaRecord) -> None:
        """Delete a user's item, if ``old`` is still stored.

        A deletion leaves no version behind. If the client retried and finds no item, the first attempt succeeded and
        its response was lost.

        Raises
        ------
        ConflictError
            Another request wrote first; nothing was deleted.
        """
        condition, names, values = _still(old)
        with failing_closed("dynamodb:DeleteItem"):
            try:
                self._client.delete_item(
                    TableName=self._table_name,
                    Key=item_key(old.user_id),
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != _CONDITION_FAILED:
                    raise
                retried = error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
                if not retried or error.response.get("Item"):
                    raise ConflictError from None


def _still(old: MfaRecord) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return the condition that the stored item is still the one that was read, with its names and values."""
    names = {"#sk": str(Attribute.SK), "#version": str(Attribute.VERSION)}
    exists: dict[str, Any] = {":sk": {"S": SORT_KEY}}
    if old.version is None:  # an item of an older deployment
        return "#sk = :sk AND attribute_not_exists(#version)", names, exists
    return "#sk = :sk AND #version = :version", names, exists | {":version": {"N": str(old.version)}}


def _update_expression(changes: dict[Attribute, dict[str, Any] | None]) -> str:
    written = ", ".join(f"#{name} = :new_{name}" for name, value in changes.items() if value is not None)
    removed = ", ".join(f"#{name}" for name, value in changes.items() if value is None)
    return f"SET {written}" + (f" REMOVE {removed}" if removed else "")
