import importlib.metadata
import json
import re
from typing import Any

import pytest

from infra.paths import REPOSITORY
from local.emulator import VERSION, install
from local.emulator.inert import INERT, INERT_TYPES
from local.errors import LocalError
from tests.support.emulator import Deploy, Emulator, allow, resource


def test_types_without_effect_deploy_change_and_go(deploy: Deploy) -> None:
    def template(value: str) -> dict[str, Any]:
        return {
            f"Resource{number}": {"Type": each, "Properties": {"Anything": value}}
            for number, each in enumerate(INERT_TYPES)
        }

    deployed = deploy(template("before"))
    before = deployed.physical_id("Resource0")
    deployed.update(template("after"))
    assert deployed.physical_id("Resource0") == before


def test_the_documentation_lists_every_part_that_is_not_emulated() -> None:
    section = (REPOSITORY / "docs" / "local.md").read_text().partition("## What is not emulated")[2]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert rows[1:] == [*INERT.items()]


def test_a_web_acl_is_associated_while_the_association_exists(emulator: Emulator, deploy: Deploy) -> None:
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "test"}
    acl = {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": visibility, "Rules": []}
    stage = "arn:aws:apigateway:us-east-1::/restapis/abc/stages/v1"
    resources = {"Acl": resource("WAFv2::WebACL", **acl, Name="test")}
    acl_arn = {"Fn::GetAtt": ["Acl", "Arn"]}
    association = resource("WAFv2::WebACLAssociation", ResourceArn=stage, WebACLArn=acl_arn)
    deployed = deploy(resources | {"Association": association})
    waf = emulator.client("wafv2")
    assert waf.get_web_acl_for_resource(ResourceArn=stage)["WebACL"]["Name"] == "test"
    deployed.update(resources)
    with pytest.raises(waf.exceptions.WAFNonexistentItemException):
        waf.get_web_acl_for_resource(ResourceArn=stage)


def test_a_replica_key_opens_what_the_primary_sealed(emulator: Emulator, deploy: Deploy) -> None:
    primary = resource("KMS::Key", MultiRegion=True, KeyPolicy=allow("kms:*"))
    deployed = deploy({"Key": primary}, {"Arn": {"Fn::GetAtt": ["Key", "Arn"]}})
    sealed = emulator.client("kms").encrypt(KeyId=deployed.outputs["Arn"], Plaintext=b"hello")["CiphertextBlob"]

    elsewhere = emulator.client("cloudformation", region="us-west-2")
    replica = resource("KMS::ReplicaKey", PrimaryKeyArn=deployed.outputs["Arn"], KeyPolicy=allow("kms:*"))
    template = {
        "Resources": {"Replica": replica},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Replica", "Arn"]}}},
    }
    elsewhere.create_stack(StackName="replica", TemplateBody=json.dumps(template))
    elsewhere.get_waiter("stack_create_complete").wait(StackName="replica", WaiterConfig={"Delay": 1})
    [output] = elsewhere.describe_stacks(StackName="replica")["Stacks"][0]["Outputs"]
    assert output["OutputValue"].startswith("arn:aws:kms:us-west-2:")
    opened = emulator.client("kms", region="us-west-2").decrypt(CiphertextBlob=sealed, KeyId=output["OutputValue"])
    assert opened["Plaintext"] == b"hello"
    elsewhere.delete_stack(StackName="replica")


def test_a_user_pool_has_its_url(deploy: Deploy) -> None:
    deployed = deploy({"Pool": resource("Cognito::UserPool")}, {"Url": {"Fn::GetAtt": ["Pool", "ProviderURL"]}})
    expected = f"https://cognito-idp.us-east-1.amazonaws.com/{deployed.physical_id('Pool')}"
    assert deployed.outputs["Url"] == expected


def test_an_output_added_alone_is_a_change(deploy: Deploy) -> None:
    topic = {"Topic": resource("SNS::Topic")}
    deployed = deploy(topic)
    deployed.update(topic, {"Arn": {"Ref": "Topic"}})
    assert deployed.outputs == {"Arn": deployed.physical_id("Topic")}


def test_a_change_set_without_any_change_is_none(deploy: Deploy) -> None:
    topic = {"Topic": resource("SNS::Topic")}
    deployed = deploy(topic)
    with pytest.raises(AssertionError, match="didn't contain changes"):
        deployed.update(topic)


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "9.9.9")
    with pytest.raises(LocalError, match=rf"MiniStack 9.9.9 is installed.*{VERSION}"):
        install()
