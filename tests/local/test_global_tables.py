import uuid
from typing import Any

import pytest

from tests.support.emulator import Deploy, Emulator, resource, table

_GLOBAL_TABLE = "DynamoDB::GlobalTable"


def _replicated(*regions: str, protected: bool = False) -> dict[str, Any]:
    replicas = [{"Region": region, "DeletionProtectionEnabled": protected} for region in regions]
    return {"Table": table(_GLOBAL_TABLE, Replicas=replicas)}


def test_a_new_table_may_have_any_number_of_replicas(deploy: Deploy) -> None:
    deploy(_replicated("us-east-1", "us-west-2", "eu-west-1"))


def test_one_replica_is_added_or_removed_in_an_update(deploy: Deploy) -> None:
    deployed = deploy(_replicated("us-east-1"))
    deployed.update(_replicated("us-east-1", "us-west-2"))
    deployed.update(_replicated("us-east-1", "us-west-2", "eu-west-1"))
    deployed.update(_replicated("us-east-1", "us-west-2"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("us-east-1",), ("us-east-1", "us-west-2", "eu-west-1")),
        (("us-east-1", "us-west-2", "eu-west-1"), ("us-east-1",)),
        (("us-east-1", "us-west-2"), ("us-east-1", "eu-west-1")),
    ],
    ids=["added", "removed", "exchanged"],
)
def test_two_replicas_are_refused_in_an_update(deploy: Deploy, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    deployed = deploy(_replicated(*before))
    with pytest.raises(AssertionError, match="only add or remove one replica"):
        deployed.update(_replicated(*after))


@pytest.mark.parametrize("kind", ["DynamoDB::Table", _GLOBAL_TABLE])
def test_a_protected_table_stays_when_its_creation_is_rolled_back(
    emulator: Emulator, deploy: Deploy, kind: str
) -> None:
    name = f"protected-{uuid.uuid4().hex[:8]}"
    if kind == _GLOBAL_TABLE:
        settings: dict[str, Any] = {"Replicas": [{"Region": "us-east-1", "DeletionProtectionEnabled": True}]}
    else:
        settings = {"DeletionProtectionEnabled": True}
    kept = table(kind, TableName=name, **settings) | {"DeletionPolicy": "RetainExceptOnCreate"}
    broken = resource("KMS::Alias", AliasName="alias/aws/reserved", TargetKeyId="none") | {"DependsOn": "Table"}
    dynamodb = emulator.client("dynamodb")

    with pytest.raises(AssertionError, match="protected against deletion"):
        deploy({"Table": kept, "Broken": broken})
    assert dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"] is True
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=name)


def test_protection_can_be_turned_off(emulator: Emulator, deploy: Deploy) -> None:
    deployed = deploy(_replicated("us-east-1", protected=True))
    deployed.update(_replicated("us-east-1"))
    name = deployed.physical_id("Table")
    deployed.delete()
    with pytest.raises(emulator.client("dynamodb").exceptions.ResourceNotFoundException):
        emulator.client("dynamodb").describe_table(TableName=name)
