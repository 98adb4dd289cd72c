import json
import uuid
from typing import Any

import pytest

from local.emulator import VERSION, check_version
from local.emulator.inert import INERT_TYPES
from local.errors import LocalError
from tests.support.emulator import Deploy, Emulator, allow, eventually


def _metric_alarm(name: str, **properties: Any) -> dict[str, Any]:
    common = {"AlarmName": name, "EvaluationPeriods": 1, "Threshold": 1, "TreatMissingData": "notBreaching"}
    operator = {"ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": common | operator | properties}


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


def test_a_composite_alarm_follows_its_children(emulator: Emulator, deploy: Deploy) -> None:
    namespace, child, parent = (f"{each}-{uuid.uuid4().hex[:8]}" for each in ("space", "child", "parent"))
    plain = {"Namespace": namespace, "MetricName": "Hits", "Statistic": "Sum", "Period": 60}
    composite = {"AlarmName": parent, "AlarmRule": f'ALARM("{child}")', "AlarmDescription": "first"}
    resources = {
        "Child": _metric_alarm(child, **plain),
        "Parent": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": composite, "DependsOn": "Child"},
    }
    deployed = deploy(resources, {"Arn": {"Fn::GetAtt": ["Parent", "Arn"]}})
    assert deployed.outputs["Arn"].endswith(f":alarm:{parent}")
    cloudwatch = emulator.client("cloudwatch")

    def described() -> dict[str, Any]:
        alarms = cloudwatch.describe_alarms(AlarmNames=[parent], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        return dict(alarms[0])

    assert described()["StateValue"] == "OK"
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Hits", "Value": 1}])
    eventually(lambda: described()["StateValue"] == "ALARM")

    resources["Parent"]["Properties"] = composite | {"AlarmDescription": "second"}
    deployed.update(resources, {"Arn": {"Fn::GetAtt": ["Parent", "Arn"]}})
    assert (described()["AlarmDescription"], described()["StateValue"]) == ("second", "ALARM")


def test_a_web_acl_is_associated_while_the_association_exists(emulator: Emulator, deploy: Deploy) -> None:
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "test"}
    acl = {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": visibility, "Rules": []}
    stage = "arn:aws:apigateway:us-east-1::/restapis/abc/stages/v1"
    resources: dict[str, Any] = {"Acl": {"Type": "AWS::WAFv2::WebACL", "Properties": acl | {"Name": "test"}}}
    association = {"ResourceArn": stage, "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]}}
    deployed = deploy(resources | {"Association": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": association}})
    waf = emulator.client("wafv2")
    assert waf.get_web_acl_for_resource(ResourceArn=stage)["WebACL"]["Name"] == "test"
    deployed.update(resources)
    with pytest.raises(waf.exceptions.WAFNonexistentItemException):
        waf.get_web_acl_for_resource(ResourceArn=stage)


def test_a_replica_key_opens_what_the_primary_sealed(emulator: Emulator, deploy: Deploy) -> None:
    primary = {"MultiRegion": True, "KeyPolicy": allow("kms:*")}
    deployed = deploy(
        {"Key": {"Type": "AWS::KMS::Key", "Properties": primary}}, {"Arn": {"Fn::GetAtt": ["Key", "Arn"]}}
    )
    sealed = emulator.client("kms").encrypt(KeyId=deployed.outputs["Arn"], Plaintext=b"hello")["CiphertextBlob"]

    elsewhere = emulator.client("cloudformation", region="us-west-2")
    replica = {"PrimaryKeyArn": deployed.outputs["Arn"], "KeyPolicy": allow("kms:*")}
    template = {
        "Resources": {"Replica": {"Type": "AWS::KMS::ReplicaKey", "Properties": replica}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Replica", "Arn"]}}},
    }
    elsewhere.create_stack(StackName="replica", TemplateBody=json.dumps(template))
    stack = eventually(lambda: _complete(elsewhere, "replica"))
    [output] = stack["Outputs"]
    assert output["OutputValue"].startswith("arn:aws:kms:us-west-2:")
    opened = emulator.client("kms", region="us-west-2").decrypt(CiphertextBlob=sealed, KeyId=output["OutputValue"])
    assert opened["Plaintext"] == b"hello"
    elsewhere.delete_stack(StackName="replica")


def _complete(cloudformation: Any, name: str) -> Any:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return stack if stack["StackStatus"] == "CREATE_COMPLETE" else None


def test_a_user_pool_has_its_url(deploy: Deploy) -> None:
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {}}
    deployed = deploy({"Pool": pool}, {"Url": {"Fn::GetAtt": ["Pool", "ProviderURL"]}})
    expected = f"https://cognito-idp.us-east-1.amazonaws.com/{deployed.physical_id('Pool')}"
    assert deployed.outputs["Url"] == expected


def test_an_output_added_alone_is_a_change(deploy: Deploy) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    deployed = deploy(topic)
    deployed.update(topic, {"Arn": {"Ref": "Topic"}})
    assert deployed.outputs == {"Arn": deployed.physical_id("Topic")}


def test_a_change_set_without_any_change_is_none(deploy: Deploy) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    deployed = deploy(topic)
    with pytest.raises(AssertionError, match="didn't contain changes"):
        deployed.update(topic)


def test_another_version_of_the_emulator_is_refused() -> None:
    check_version(VERSION)
    with pytest.raises(LocalError, match=rf"MiniStack 9.9.9 is installed.*{VERSION}"):
        check_version("9.9.9")
