"""Replica regions: a table and a key in each, and a service there that uses them."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from infra.outputs import StackId
from tests.infra.synthesis import Stack, Synthesized, synthesize
from tests.infra.test_data import KEY, TABLE
from tests.infra.test_functions import variables
from tests.infra.test_permissions import FOR_TOTP_SECRETS, policies_by_role, role_of
from tests.infra.test_rules import cfn_lint, nag_findings

REPLICA_KEY = "AWS::KMS::ReplicaKey"
REGIONS = ("us-west-2", "eu-west-1")

type Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="module")
def prod_with() -> Synthesize:
    """Return a function that synthesizes prod with some settings, once for each."""
    return cache(lambda **settings: synthesize("prod", **settings))


@pytest.fixture(scope="module")
def replicated(prod_with: Synthesize) -> Synthesized:
    """Return prod with two replica regions."""
    return prod_with(replica_regions=",".join(REGIONS))


def replica(environment: Synthesized, region: str) -> Stack:
    return environment.stacks_by_name[f"mfa-prod-replica-{region}"]


def statements(key: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in key["Properties"]["KeyPolicy"]["Statement"]}


def test_the_table_is_in_every_region_and_protected_in_each(replicated: Synthesized) -> None:
    replicas = replicated.stacks[StackId.DATA].only(TABLE)["Properties"]["Replicas"]

    assert {each["Region"] for each in replicas} == {"us-east-1", *REGIONS}
    for each in replicas:
        assert each["DeletionProtectionEnabled"] is True
        assert each["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("region", REGIONS)
def test_each_region_has_a_replica_of_the_key_with_the_same_protection(replicated: Synthesized, region: str) -> None:
    primary = replicated.stacks[StackId.DATA].only(KEY)
    key = replica(replicated, region).only(REPLICA_KEY)

    assert key["Properties"]["PrimaryKeyArn"] == f"<{KEY} Arn>"
    assert primary["Properties"]["MultiRegion"] is True
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"
    assert key["Properties"]["PendingWindowInDays"] == 30
    assert replica(replicated, region).properties["terminationProtection"] is True


def test_a_replica_may_be_used_for_the_same_and_by_the_same_as_the_primary(replicated: Synthesized) -> None:
    primary = statements(replicated.stacks[StackId.DATA].only(KEY))
    key = statements(replica(replicated, REGIONS[0]).only(REPLICA_KEY))

    assert key == {sid: primary[sid] for sid in ("AdministrationByIam", "UseByIam")}


def test_the_key_can_be_replicated_to_the_configured_regions_alone(replicated: Synthesized, prod: Synthesized) -> None:
    found = statements(replicated.stacks[StackId.DATA].only(KEY))["ReplicationByIam"]

    assert found["Action"] == "kms:ReplicateKey"
    assert found["Condition"] == {"StringEquals": {"kms:ReplicaRegion": [*REGIONS]}}
    assert "ReplicateKey" not in str(prod.stacks[StackId.DATA].only(KEY))


def test_without_replica_regions_nothing_of_it_is_there(each: Synthesized) -> None:
    assert "MultiRegion" not in each.stacks[StackId.DATA].only(KEY)["Properties"]
    assert len(each.stacks[StackId.DATA].only(TABLE)["Properties"]["Replicas"]) == 1
    assert set(each.stacks_by_name) == {f"mfa-{each.config.environment}-{stack}" for stack in each.stacks}


def test_a_key_can_be_made_ready_for_replicas_to_come(prod_with: Synthesize) -> None:
    """As no key becomes a multi-region key later. Until then it is nowhere else, and may not be."""
    key = prod_with(multi_region_key="true").stacks[StackId.DATA].only(KEY)

    assert key["Properties"]["MultiRegion"] is True
    assert set(statements(key)) == {"AdministrationByIam", "UseByIam"}


def test_a_replica_region_gets_its_service_by_adopting_table_and_key(prod_with: Synthesize) -> None:
    replica_key = "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"
    environment = prod_with(
        region="us-west-2",
        users_table_name="mfa-prod-users",
        secret_key_arn=replica_key,
        jwt_issuer="https://login.example.com",
        jwt_jwks_url="https://login.example.com/keys",
        jwt_audience="mfa",
    )

    assert set(environment.stacks) == {StackId.SERVICE, StackId.MONITORING}
    service = environment.stacks[StackId.SERVICE]
    assert variables(service, "verify_mfa")["MFA_ENCRYPTION_KEY"] == replica_key
    granted = policies_by_role(environment)[role_of(environment, "verify_mfa", "prod")]
    assert {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": replica_key,
        "Condition": FOR_TOTP_SECRETS,
    } in granted
    table = "arn:aws:dynamodb:us-west-2:<AWS::AccountId>:table/mfa-prod-users"
    assert {
        "Effect": "Allow",
        "Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        "Resource": table,
    } in granted
    assert nag_findings(environment) == []


def test_cdk_nag_and_cfn_lint_find_nothing(replicated: Synthesized) -> None:
    assert nag_findings(replicated) == []
    finished = cfn_lint(*replicated.templates)
    assert (finished.returncode, finished.stdout) == (0, "")
