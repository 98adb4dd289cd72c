import json
import uuid
from typing import Any

import pytest

from tests.support.emulator import Deploy, Emulator, function, resource, table

_DASHBOARD_BODY = json.dumps({"widgets": []})
_NAMED = {
    "dashboard": lambda name: resource("CloudWatch::Dashboard", DashboardName=name, DashboardBody=_DASHBOARD_BODY),
    "global table": lambda name: table("DynamoDB::GlobalTable", TableName=name, Replicas=[{"Region": "us-east-1"}]),
    "table": lambda name: table(TableName=name),
    "function": lambda name: function("def handler(event, context): ...", FunctionName=name),
    "log group": lambda name: resource("Logs::LogGroup", LogGroupName=name),
    "queue": lambda name: resource("SQS::Queue", QueueName=name),
}


@pytest.fixture
def name() -> str:
    return f"named-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize("kind", _NAMED)
def test_a_name_that_exists_is_refused_until_it_is_free(deploy: Deploy, kind: str, name: str) -> None:
    resources: dict[str, Any] = {"Named": _NAMED[kind](name)}
    first = deploy(resources)
    with pytest.raises(AssertionError, match=f"'{name}' already exists"):
        deploy(resources)
    first.delete()
    deploy(resources)


@pytest.mark.parametrize(("policy", "stays"), [("Retain", True), ("RetainExceptOnCreate", False)])
def test_a_creation_that_is_rolled_back_leaves_only_what_is_always_retained(
    emulator: Emulator, deploy: Deploy, name: str, policy: str, stays: bool
) -> None:
    kept = _NAMED["log group"](name) | {"DeletionPolicy": policy}
    broken = resource("KMS::Alias", AliasName="alias/aws/reserved", TargetKeyId="none") | {"DependsOn": "Kept"}
    with pytest.raises(AssertionError, match="alias/aws/"):
        deploy({"Kept": kept, "Broken": broken})

    left = emulator.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [each["logGroupName"] for each in left] == ([name] if stays else [])


def test_a_resource_with_a_name_can_be_updated(deploy: Deploy, name: str) -> None:
    deployed = deploy({"Group": resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=1)})
    deployed.update({"Group": resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=3)})
    assert deployed.physical_id("Group") == name


def test_a_dashboard_exists_in_every_region(emulator: Emulator, deploy: Deploy, name: str) -> None:
    elsewhere = emulator.client("cloudwatch", region="us-west-2")
    elsewhere.put_dashboard(DashboardName=name, DashboardBody=_DASHBOARD_BODY)

    assert emulator.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"] == _DASHBOARD_BODY
    with pytest.raises(AssertionError, match=f"'{name}' already exists"):
        deploy({"Dashboard": _NAMED["dashboard"](name)})

    elsewhere.delete_dashboards(DashboardNames=[name])
    deploy({"Dashboard": _NAMED["dashboard"](name)})


def test_the_package_type_of_a_named_function_cannot_change_in_place(deploy: Deploy, name: str) -> None:
    """MiniStack refuses this by itself; see `infra.constructs.function` for the names that follow from it."""

    def image(given: str) -> dict[str, Any]:
        properties = {"PackageType": "Image", "Code": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1"}}
        return resource(
            "Lambda::Function", FunctionName=given, Role="arn:aws:iam::000000000000:role/none", **properties
        )

    deployed = deploy({"Function": _NAMED["function"](name)})
    with pytest.raises(AssertionError, match="custom-named resource requires replacing"):
        deployed.update({"Function": image(name)})
    deployed.update({"Function": image(f"{name}-image")})
    deployed.update({"Function": _NAMED["function"](name)})
