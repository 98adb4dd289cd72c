"""The users' table after enrolment: one read, then one conditional write that decides.

Compare-and-swap on ``version``: whoever read an older state writes nothing. So of any number of parallel guesses
one is judged, and the others learn nothing.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.exceptions import ClientError

from functions.shared.aws import CLIENT_CONFIG, failing_closed, mistrust_answers
from functions.shared.clock import iso_timestamp
from functions.shared.contract import SORT_KEY, Attribute, partition_key
from functions.shared.errors import ConflictError
from functions.shared.record import MfaRecord, changed_attributes, record_from_item
from functions.shared.version import new_version

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_CONDITION_FAILED = "ConditionalCheckFailedException"


class MfaRepository(Protocol):
    """Keeps the state of each user's second factor."""

    def get(self, user_id: str) -> MfaRecord | None:
        """Return a user's record, or None."""
        ...

    def swap(self, old: MfaRecord, new: MfaRecord, *, request_id: str, now: float) -> MfaRecord:
        """Replace ``old`` by ``new``, or raise `ConflictError` if it is no longer ``old`` that is stored."""
        ...

    def remove(self, old: MfaRecord) -> None:
        """Remove ``old``, or raise `ConflictError` if it is no longer ``old`` that is stored."""
        ...


class DynamoDbMfaRepository:
    """Keeps records in the users' table.

    Every method raises `ServiceUnavailableError` when DynamoDB refuses, throttles, times out or cannot be reached.

    Parameters
    ----------
    table_name : str
        The table.
    client : DynamoDBClient
        A client; by default one is made, for the life of the process.
    """

    def __init__(self, table_name: str, client: "DynamoDBClient | None" = None) -> None:
        self._table_name = table_name
        self._client: DynamoDBClient = client or boto3.client("dynamodb", config=CLIENT_CONFIG)
        mistrust_answers(self._client, "dynamodb.GetItem")

    def get(self, user_id: str) -> MfaRecord | None:
        """Return a user's record by a strongly consistent read, or None.

        Raises
        ------
        RecordDamagedError
            The item is not what the service writes.
        """
        with failing_closed("dynamodb:GetItem"):
            item = self._client.get_item(TableName=self._table_name, Key=_key(user_id), ConsistentRead=True).get("Item")
        return None if item is None else record_from_item(user_id, item)

    def swap(self, old: MfaRecord, new: MfaRecord, *, request_id: str, now: float) -> MfaRecord:
        """Write what differs between two records, provided that ``old`` is still what is stored.

        A pending enrolment must also not have expired by now. The new version marks the write as this one: if the
        answer to a first attempt is lost and the client retries, the second attempt finds its own write and knows
        that it succeeded. The request id could not: callers choose it.

        Returns
        -------
        MfaRecord
            What is stored now: ``new`` under its new version.

        Raises
        ------
        ConflictError
            Another request wrote in between; this one wrote nothing.
        """
        new = replace(new, version=new_version())
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
                    Key=_key(old.user_id),
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
        """Delete a user's item, provided that ``old`` is still what is stored.

        A deletion leaves no mark to know itself by. If the client had to try again and nothing is stored any more,
        the first attempt succeeded and its answer was lost.

        Raises
        ------
        ConflictError
            Another request wrote in between; nothing was deleted.
        """
        condition, names, values = _still(old)
        with failing_closed("dynamodb:DeleteItem"):
            try:
                self._client.delete_item(
                    TableName=self._table_name,
                    Key=_key(old.user_id),
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != _CONDITION_FAILED:
                    raise
                tried_again = error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
                if not tried_again or error.response.get("Item"):
                    raise ConflictError from None


def _key(user_id: str) -> dict[str, Any]:
    return {Attribute.PK: {"S": partition_key(user_id)}, Attribute.SK: {"S": SORT_KEY}}


def _still(old: MfaRecord) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return the condition that the stored item is the one that was read, with its names and values."""
    names = {"#sk": str(Attribute.SK), "#version": str(Attribute.VERSION)}
    exists: dict[str, Any] = {":sk": {"S": SORT_KEY}}
    if old.version is None:  # an item of an older deployment
        return "#sk = :sk AND attribute_not_exists(#version)", names, exists
    return "#sk = :sk AND #version = :version", names, exists | {":version": {"N": str(old.version)}}


def _update_expression(changes: dict[Attribute, dict[str, Any] | None]) -> str:
    written = ", ".join(f"#{name} = :new_{name}" for name, value in changes.items() if value is not None)
    removed = ", ".join(f"#{name}" for name, value in changes.items() if value is None)
    return f"SET {written}" + (f" REMOVE {removed}" if removed else "")
