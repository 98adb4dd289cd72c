"""No deployment loses data: the stateful stacks, compared with the version before."""

import copy
from typing import Any

import pytest

from tests.infra.deployments import EVERYTHING, deployment
from tests.infra.snapshot import STATEFUL_VARIANTS, kept_stateful
from tests.infra.stateful import Resources, losses, stateful_resources
from tests.infra.synthesis import synthesize

TABLE = "TableCD117FA1"
KEY = "SecretKey573D36D8"
DATA = "mfa-prod-data"


@pytest.fixture(scope="module")
def previous() -> dict[str, Resources]:
    """Return the stateful resources of prod as it was deployed."""
    return kept_stateful()["prod"]


@pytest.fixture
def changed(previous: dict[str, Resources]) -> dict[str, Resources]:
    """Return a copy of `previous` to change."""
    return copy.deepcopy(previous)


@pytest.mark.parametrize("variant", STATEFUL_VARIANTS)
def test_nothing_that_holds_data_would_be_lost(variant: str) -> None:
    present = stateful_resources(deployment(variant))

    assert list(losses(kept_stateful()[variant], present)) == []
    assert kept_stateful()[variant] == present  # `make snapshots` adds new resources


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
        (
            TABLE,
            {"DeletionPolicy": "Delete"},
            "would no longer be kept: DeletionPolicy changes from RetainExceptOnCreate to Delete",
        ),
        (KEY, {"UpdateReplacePolicy": "Delete"}, "would no longer be kept: UpdateReplacePolicy changes from Retain"),
        (KEY, {"Properties": {"MultiRegion": True}}, "would be replaced, as MultiRegion changes from None to True"),
    ],
)
def test_names_each_way_to_lose_data(
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


def test_accepts_additions(previous: dict[str, Resources], changed: dict[str, Resources]) -> None:
    changed[DATA]["Another"] = changed[DATA][TABLE]
    changed["mfa-prod-replica-us-west-2"] = {}

    assert list(losses(previous, changed)) == []


def test_notices_an_environment_that_protects_less(previous: dict[str, Resources]) -> None:
    found = list(losses(previous, stateful_resources(synthesize("prod", retain_data="false"))))

    assert any("DeletionPolicy changes from RetainExceptOnCreate to Delete" in loss for loss in found)


def test_replicas_need_a_multi_region_key_from_the_first_deployment(previous: dict[str, Resources]) -> None:
    replicated = stateful_resources(deployment(EVERYTHING))
    multi_region = stateful_resources(synthesize("prod", multi_region_key="true"))

    assert [loss for loss in losses(previous, replicated) if "MultiRegion" in loss]
    assert list(losses(multi_region, replicated)) == []
