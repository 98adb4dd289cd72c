"""A secret sealed in the primary region opens in a replica region and vice versa, under the deployed policies.

The emulator gets the unchanged templates of the data stack and of the replica stack. The functions' own code seals and
opens secrets, under roles with the permissions of a region's functions.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.session import get_session

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.shared import aws
from functions.shared.decryption import EnvelopeOpener
from functions.shared.encryption import master_key
from functions.shared.errors import ServiceUnavailableError
from functions.shared.record import RecordDamagedError
from functions.shared.settings import KmsKey
from infra.outputs import Output
from local.bootstrap import ACCOUNT
from local.stack import Credentials
from tests.infra.synthesis import synthesize
from tests.support.emulator import Emulator, emulator_below, eventually

pytestmark = pytest.mark.e2e

PRIMARY, REPLICA = "us-east-1", "us-west-2"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator_below(tmp_path_factory.mktemp("regions")) as running:
        yield running


@dataclass(frozen=True)
class Regions:
    """The keys of both regions."""

    emulator: Emulator
    keys: dict[str, str]


@pytest.fixture(scope="module")
def regions(emulator: Emulator) -> Regions:
    """Deploy the data stack and the replica stack of ``dev``."""
    stacks = synthesize("dev", replica_regions=REPLICA).stacks_by_name
    primary = _deploy(emulator, PRIMARY, "mfa-dev-data", stacks["mfa-dev-data"].template)
    name = f"mfa-dev-replica-{REPLICA}"
    # The emulator finds outputs of other stacks only in the same region.
    template = _replace(stacks[name].template, "Fn::GetStackOutput", primary)
    return Regions(emulator, {PRIMARY: primary, REPLICA: _deploy(emulator, REPLICA, name, template)})


def _deploy(emulator: Emulator, region: str, name: str, template: dict[str, Any]) -> str:
    """Deploy a template without CDK's bootstrap rule, and return the ARN of its key."""
    parts = {part: template[part] for part in ("Resources", "Outputs")}
    cloudformation = emulator.client("cloudformation", region=region)
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(parts))
    return str(eventually(lambda: _key_of(cloudformation, name)))


def _replace(value: Any, function: str, result: str) -> Any:
    """Return a template with each call of an intrinsic function replaced by a result."""
    if isinstance(value, dict):
        return result if function in value else {key: _replace(each, function, result) for key, each in value.items()}
    return [_replace(each, function, result) for each in value] if isinstance(value, list) else value


def _key_of(cloudformation: Any, name: str) -> str | None:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert "ROLLBACK" not in stack["StackStatus"], stack
    if stack["StackStatus"] != "CREATE_COMPLETE":
        return None
    outputs: dict[str, str] = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return outputs[Output.KEY_ARN]


@pytest.fixture
def act_as(regions: Regions, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that assumes a role with one permission on the key of a region."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", regions.emulator.url)

    def take_on(action: str, region: str, *prefix: str) -> None:
        role, sdk = _role(regions, action, region, *prefix), get_session()
        sdk.set_credentials(role.access_key_id, role.secret_access_key, role.session_token)
        sdk.set_config_variable("region", region)
        monkeypatch.setattr(aws, "sdk_session", lambda: sdk)

    return take_on


def _role(regions: Regions, action: str, region: str, prefix: str = "mfa-dev-service") -> Credentials:
    """Return credentials of a role with a function's statement on the region's key."""
    iam = regions.emulator.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=f"{prefix}-{uuid4()}", AssumeRolePolicyDocument=_document(trust))["Role"]
    condition = {"StringEquals": {"kms:EncryptionContext:purpose": "mfa-totp"}}
    statement = {"Effect": "Allow", "Action": action, "Resource": regions.keys[region], "Condition": condition}
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="use", PolicyDocument=_document(statement))
    assumed = regions.emulator.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    return Credentials(assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_both_regions_have_the_same_key(regions: Regions) -> None:
    primary, replica = (regions.keys[region].split(":") for region in (PRIMARY, REPLICA))

    assert primary[-1] == replica[-1]
    assert primary[-1].startswith("key/mrk-")
    assert (primary[3], replica[3]) == (PRIMARY, REPLICA)


@pytest.mark.parametrize(("sealed_in", "opened_in"), [(PRIMARY, REPLICA), (REPLICA, PRIMARY)])
def test_each_region_opens_secrets_of_the_other(
    regions: Regions, act_as: Callable[..., None], sealed_in: str, opened_in: str
) -> None:
    act_as("kms:GenerateDataKey", sealed_in)
    sealed = EnvelopeSealer(master_key(KmsKey(regions.keys[sealed_in]))).seal(SECRET, user_id="u-1")

    act_as("kms:Decrypt", opened_in)
    opener = EnvelopeOpener(master_key(KmsKey(regions.keys[opened_in])))

    assert opener.open(sealed.message, user_id="u-1") == SECRET
    with pytest.raises(RecordDamagedError):
        opener.open(sealed.message, user_id="u-2")


def test_a_function_may_use_the_key_of_its_own_region_alone(regions: Regions, act_as: Callable[..., None]) -> None:
    act_as("kms:GenerateDataKey", PRIMARY)
    sealed = EnvelopeSealer(master_key(KmsKey(regions.keys[PRIMARY]))).seal(SECRET, user_id="u-1")
    act_as("kms:Decrypt", REPLICA)

    with pytest.raises(ServiceUnavailableError):
        EnvelopeOpener(master_key(KmsKey(regions.keys[PRIMARY]))).open(sealed.message, user_id="u-1")


@pytest.mark.parametrize("region", [PRIMARY, REPLICA])
def test_a_role_of_another_name_may_not_use_the_key_whatever_iam_allows_it(
    regions: Regions, act_as: Callable[..., None], region: str
) -> None:
    act_as("kms:GenerateDataKey", region)
    sealed = EnvelopeSealer(master_key(KmsKey(regions.keys[region]))).seal(SECRET, user_id="u-1")
    act_as("kms:Decrypt", region, "administrator")

    with pytest.raises(ServiceUnavailableError):
        EnvelopeOpener(master_key(KmsKey(regions.keys[region]))).open(sealed.message, user_id="u-1")
