"""Replica regions: a table and a key in each. For a service that uses them see `test_existing_data`."""

from typing import Any

import pytest

from tests.infra.synthesis import Stack, Synthesized, synthesize
from tests.infra.test_data import KEY, TABLE

REPLICA_KEY = "AWS::KMS::ReplicaKey"
REGIONS = ("us-west-2", "eu-west-1")


@pytest.fixture
def replicated() -> Synthesized:
    """Return prod with two replica regions."""
    return synthesize("prod", replica_regions=",".join(REGIONS))


def replica(environment: Synthesized, region: str) -> Stack:
    return environment.stacks_by_name[f"mfa-prod-replica-{region}"]


def statements(key: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in key["Properties"]["KeyPolicy"]["Statement"]}


def test_the_table_is_in_every_region_and_protected_in_each(replicated: Synthesized) -> None:
    replicas = replicated.data.only(TABLE)["Properties"]["Replicas"]

    assert {each["Region"] for each in replicas} == {"us-east-1", *REGIONS}
    for each in replicas:
        assert each["DeletionProtectionEnabled"] is True
        assert each["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_several_regions_get_a_note_that_they_are_added_one_by_one(
    replicated: Synthesized, everything: Synthesized
) -> None:
    def notes(environment: Synthesized) -> int:
        return sum("one replica" in each for each in environment.annotations("info"))

    assert (notes(replicated), notes(everything)) == (1, 0)


@pytest.mark.parametrize("region", REGIONS)
def test_each_region_has_a_replica_of_the_key_with_the_same_protection(replicated: Synthesized, region: str) -> None:
    primary = replicated.data.only(KEY)
    key = replica(replicated, region).only(REPLICA_KEY)

    assert key["Properties"]["PrimaryKeyArn"] == f"<{KEY} Arn>"
    assert primary["Properties"]["MultiRegion"] is True
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert key["Properties"]["PendingWindowInDays"] == 30
    assert replica(replicated, region).properties["terminationProtection"] is True


def test_a_replica_has_the_primarys_policy_without_replication(replicated: Synthesized) -> None:
    primary = statements(replicated.data.only(KEY))
    key = statements(replica(replicated, REGIONS[0]).only(REPLICA_KEY))

    assert key == {sid: primary[sid] for sid in ("AdministrationByIam", "UseByIam")}


def test_the_key_can_be_replicated_only_to_the_configured_regions(replicated: Synthesized, prod: Synthesized) -> None:
    found = statements(replicated.data.only(KEY))["ReplicationByIam"]

    assert found["Action"] == "kms:ReplicateKey"
    assert found["Condition"] == {"StringEquals": {"kms:ReplicaRegion": [*REGIONS]}}
    assert "ReplicateKey" not in str(prod.data.only(KEY))


def test_without_replica_regions_there_are_no_replicas(each: Synthesized) -> None:
    assert all("MultiRegion" not in key["Properties"] for key in each.data.resources(KEY).values())
    assert len(each.data.only(TABLE)["Properties"]["Replicas"]) == 1
    assert set(each.stacks_by_name) == {f"mfa-{each.config.environment}-{stack}" for stack in each.stacks}


def test_a_multi_region_key_without_replicas_cannot_be_replicated() -> None:
    """A key cannot become a multi-region key later."""
    key = synthesize("prod", multi_region_key="true").data.only(KEY)

    assert key["Properties"]["MultiRegion"] is True
    assert set(statements(key)) == {"AdministrationByIam", "UseByIam"}
