"""A user of the deployed API."""

import time
from collections.abc import Callable
from typing import Any

import jwt

from functions.shared.contract import Attribute, Endpoint, partition_key
from tests.support.life_cycle import Answer, Caller
from tests.support.stack import Api, Aws


class HttpUser(Caller):
    """A user with a token of the stack's user pool, whose stored item tests can read and change."""

    def __init__(self, api: Api, aws: Aws, table_name: str, token: str) -> None:
        super().__init__()
        self._api = api
        self._dynamodb = aws.client("dynamodb")
        self._table_name = table_name
        self.token = token
        self.user_id: str = jwt.decode(token, options={"verify_signature": False})["sub"]

    def time(self) -> float:
        return time.time()

    def call(self, route: Endpoint, body: Any = None) -> Answer:
        answer = self._api.request(route.method, route.path, token=self.token, body=body)
        return Answer(answer.status, answer.json(), answer.headers)

    def item(self) -> dict[str, Any]:
        """Return the stored item; empty if there is none."""
        found: dict[str, Any] = self._dynamodb.get_item(
            TableName=self._table_name, Key=self._key(), ConsistentRead=True
        ).get("Item", {})
        return found

    def set(self, **attributes: Any) -> None:
        """Overwrite attributes of the stored item."""
        self._dynamodb.update_item(
            TableName=self._table_name,
            Key=self._key(),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
        )

    def remove(self, attribute: str) -> None:
        """Remove an attribute of the stored item."""
        self._dynamodb.update_item(
            TableName=self._table_name,
            Key=self._key(),
            UpdateExpression="REMOVE #name",
            ExpressionAttributeNames={"#name": attribute},
        )

    def forget(self) -> None:
        """Delete the stored item."""
        self._dynamodb.delete_item(TableName=self._table_name, Key=self._key())

    def _key(self) -> dict[str, Any]:
        return {Attribute.PK: {"S": partition_key(self.user_id)}, Attribute.SK: {"S": "MFA#SECRET"}}

    def fresh_time_step(self, seconds: float = 12) -> None:
        """Wait until the present time step has so many seconds left, so that its code stays valid during a test."""
        left = 30 - time.time() % 30
        if left < seconds:
            time.sleep(left + 0.05)


type NewUser = Callable[[str], HttpUser]
"""The fixture ``new_user``: returns a user of a name, with nothing stored."""
