"""No deployment loses data: the stateful stacks, compared with the version before."""

import copy
from typing import Any

import pytest

from infra.outputs import StackId
from tests.infra.snapshot import VARIANTS, kept_stateful, synthesize_variant
from tests.infra.stateful import Resources, fixed_properties, losses, stateful_resources
from tests.infra.synthesis import Synthesized, synthesize

TABLE = "TableCD117FA1"
KEY = "SecretKey573D36D8"
DATA = "mfa-prod-data"


@pytest.fixture(scope="module")
def previous() -> dict[str, Resources]:
    """Return prod as it was deployed."""
    return kept_stateful()["prod"]


@pytest.fixture
def changed(previous: dict[str, Resources]) -> dict[str, Resources]:
    """Return a copy of it to change."""
    return copy.deepcopy(previous)


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_that_holds_data_would_be_lost(variant: str) -> None:
    present = stateful_resources(synthesize_variant(variant))

    assert list(losses(kept_stateful()[variant], present)) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_everything_that_holds_data_is_watched(variant: str) -> None:
    """What was added since is protected once `make snapshots` wrote it down."""
    assert kept_stateful()[variant] == stateful_resources(synthesize_variant(variant))


def test_table_and_key_are_known_by_their_logical_ids(previous: dict[str, Resources]) -> None:
    assert previous[DATA][TABLE]["Type"] == "AWS::DynamoDB::GlobalTable"
    assert previous[DATA][KEY]["Type"] == "AWS::KMS::Key"


@pytest.mark.parametrize(
    ("logical_id", "change", "loss"),
    [
        (TABLE, None, "AWS::DynamoDB::GlobalTable TableCD117FA1 would be gone"),
        (TABLE, {"Type": "AWS::DynamoDB::Table"}, "would become AWS::DynamoDB::Table"),
        (
            TABLE,
            {"Properties": {"TableName": "users"}},
            "would be replaced, as TableName changes from 'mfa-prod-users' to 'users'",
        ),
        (TABLE, {"DeletionPolicy": "Delete"}, "would no longer be kept: DeletionPolicy changes from Retain to Delete"),
        (KEY, {"UpdateReplacePolicy": "Delete"}, "would no longer be kept: UpdateReplacePolicy changes from Retain"),
        (KEY, {"Properties": {"MultiRegion": True}}, "would be replaced, as MultiRegion changes from None to True"),
    ],
)
def test_each_way_to_lose_data_is_named(
    previous: dict[str, Resources],
    changed: dict[str, Resources],
    logical_id: str,
    change: dict[str, Any] | None,
    loss: str,
) -> None:
    if change is None:
        del changed[DATA][logical_id]
    else:
        properties = changed[DATA][logical_id]["Properties"] | change.get("Properties", {})
        changed[DATA][logical_id] |= change | {"Properties": properties}

    (found,) = losses(previous, changed)

    assert loss in found
    assert found.startswith(f"{DATA}: ")


def test_additions_lose_nothing(previous: dict[str, Resources], changed: dict[str, Resources]) -> None:
    changed[DATA]["Another"] = changed[DATA][TABLE]
    changed["mfa-prod-replica-us-west-2"] = {}

    assert list(losses(previous, changed)) == []


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("AWS::DynamoDB::GlobalTable", {"TableName", "KeySchema"}),
        ("AWS::KMS::Key", {"MultiRegion", "KeySpec"}),
        ("AWS::KMS::ReplicaKey", {"PrimaryKeyArn"}),
        ("AWS::Cognito::UserPool", {"UsernameConfiguration"}),
        ("AWS::Cognito::UserPoolClient", {"GenerateSecret", "UserPoolId"}),
    ],
)
def test_properties_that_cannot_be_changed_in_place_are_known(kind: str, names: set[str]) -> None:
    assert names <= fixed_properties(kind)


def test_an_environment_that_protects_less_is_noticed(previous: dict[str, Resources]) -> None:
    found = list(losses(previous, stateful_resources(synthesize("prod", retain_data="false"))))

    assert any("DeletionPolicy changes from Retain to Delete" in loss for loss in found)


def test_replicas_need_a_key_that_was_made_for_them() -> None:
    """Which is why `multi_region_key` is there to be turned on from the first deployment."""

    def fixed(**settings: str) -> dict[str, Resources]:
        return stateful_resources(synthesize("prod", **settings))

    replicated = fixed(replica_regions="us-west-2")

    assert [loss for loss in losses(fixed(), replicated) if "MultiRegion" in loss]
    assert list(losses(fixed(multi_region_key="true"), replicated)) == []


def test_the_table_resists_deletion_by_hand_as_well(prod: Synthesized) -> None:
    (replica,) = prod.stacks[StackId.DATA].only("AWS::DynamoDB::GlobalTable")["Properties"]["Replicas"]

    assert replica["DeletionProtectionEnabled"] is True
