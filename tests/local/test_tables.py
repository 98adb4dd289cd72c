import json
import time
import uuid
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from ministack.core.responses import request_scope
from ministack.services import dynamodb

from local.emulator import tables
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
    client = emulator.client("dynamodb")

    with pytest.raises(AssertionError, match="protected against deletion"):
        deploy({"Table": kept, "Broken": broken})
    assert client.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"] is True
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)


def test_protection_can_be_turned_off(emulator: Emulator, deploy: Deploy) -> None:
    deployed = deploy(_replicated("us-east-1", protected=True))
    deployed.update(_replicated("us-east-1"))
    name = deployed.physical_id("Table")
    deployed.delete()
    with pytest.raises(emulator.client("dynamodb").exceptions.ResourceNotFoundException):
        emulator.client("dynamodb").describe_table(TableName=name)


@pytest.mark.parametrize("kind", ["DynamoDB::Table", _GLOBAL_TABLE])
def test_a_table_has_its_time_to_live_and_recovery(emulator: Emulator, deploy: Deploy, kind: str) -> None:
    def template(*, recovery: bool) -> dict[str, Any]:
        enabled: dict[str, Any] = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovery}}
        if kind.endswith("GlobalTable"):
            enabled = {"Replicas": [{"Region": "us-east-1"} | enabled]}
        expiry = {"AttributeName": "expires_at", "Enabled": True}
        return {"Table": table(kind, TimeToLiveSpecification=expiry, **enabled)}

    def settings(name: str) -> tuple[str, str]:
        client = emulator.client("dynamodb")
        expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        return expiry.get("AttributeName", ""), recovery

    deployed = deploy(template(recovery=False))
    assert settings(deployed.physical_id("Table")) == ("expires_at", "DISABLED")
    deployed.update(template(recovery=True))
    assert settings(deployed.physical_id("Table")) == ("expires_at", "ENABLED")


@pytest.mark.parametrize("filled", [True, False])
def test_an_expired_item_stays_only_if_the_gap_is_filled(filled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one round of MiniStack's deletion of expired items in this process."""
    monkeypatch.setattr(dynamodb, "_ttl_settings", dynamodb._ttl_settings)  # restored after the test
    if filled:
        tables.expired_items_stay()
    sleep = Mock(side_effect=[None, KeyboardInterrupt])
    monkeypatch.setattr(dynamodb, "time", SimpleNamespace(sleep=sleep, time=time.time))
    name = {"TableName": "expiring"}
    item = {"pk": {"S": "USER#1"}, "expires_at": {"N": "1"}}
    with request_scope("000000000000", "us-east-1"):
        dynamodb._create_table(table()["Properties"] | name)
        specification = {"AttributeName": "expires_at", "Enabled": True}
        dynamodb._update_ttl(name | {"TimeToLiveSpecification": specification})
        described = json.loads(dynamodb._describe_ttl(name)[2])
        dynamodb._put_item(name | {"Item": item})
        with pytest.raises(KeyboardInterrupt):
            dynamodb._ttl_reaper()
        got = json.loads(dynamodb._get_item(name | {"Key": {"pk": item["pk"]}})[2])
        dynamodb._delete_table(name)

    assert described["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    assert got.get("Item") == (item if filled else None)
