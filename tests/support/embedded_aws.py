"""DynamoDB and KMS of moto, with the service's table and key in them."""

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from moto.kms.utils import generate_private_key

from functions.shared.contract import Attribute
from tests.support.aws_calls import AwsCalls

REGION = "us-east-1"
TABLE_NAME = "users"


@cache
def aws_session() -> boto3.Session:
    """Return one session for the whole run: reading the services' models anew for each test would take half of it."""
    return boto3.Session(region_name=REGION)


def key_pairs() -> Callable[[str], object]:
    """Return a function for one test that returns the key pair of each new KMS key.

    Making a pair takes longer than most tests, and moto makes one for symmetric keys too. Tests share the pairs: the
    first key of a test has the same pair in each test.
    """
    numbers = itertools.count()
    return lambda spec: None if spec == "SYMMETRIC_DEFAULT" else _key_pair(spec, next(numbers))


@cache
def _key_pair(spec: str, _number: int, make: Callable[[str], object] = generate_private_key) -> object:
    return make(spec)


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
