"""DynamoDB and KMS of moto, with the service's table and key in them."""

from functools import cache
from typing import Any

import boto3

from functions.shared.contract import Attribute
from tests.support.aws_calls import AwsCalls

REGION = "us-east-1"
TABLE_NAME = "users"


@cache
def aws_session() -> boto3.Session:
    """Return one session for the whole run: reading the services' models anew for each test would take half of it."""
    return boto3.Session(region_name=REGION)


class EmbeddedAws:
    """Moto's DynamoDB and KMS with the service's table and key in them."""

    def __init__(self) -> None:
        self.calls = AwsCalls()
        self.dynamodb: Any = boto3.client("dynamodb", region_name=REGION)
        self.kms: Any = boto3.client("kms", region_name=REGION)
        self.key_arn: str = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.dynamodb.create_table(
            TableName=TABLE_NAME,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": Attribute.PK, "KeyType": "HASH"},
                {"AttributeName": Attribute.SK, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": Attribute.PK, "AttributeType": "S"},
                {"AttributeName": Attribute.SK, "AttributeType": "S"},
            ],
        )

    def item(self, user_id: str) -> dict[str, Any]:
        """Return a user's stored item; empty if there is none."""
        key = {"pk": {"S": f"USER#{user_id}"}, "sk": {"S": "MFA#SECRET"}}
        found: dict[str, Any] = self.dynamodb.get_item(TableName=TABLE_NAME, Key=key).get("Item", {})
        return found

    def set(self, user_id: str, **attributes: Any) -> None:
        """Overwrite attributes of a user's stored item; None removes one."""
        item = {name: value for name, value in (self.item(user_id) | attributes).items() if value is not None}
        self.dynamodb.put_item(TableName=TABLE_NAME, Item=item)
