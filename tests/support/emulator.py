"""An emulator without the service, to which tests deploy small templates."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local import ports, server
from local.bootstrap import create_administrator, session
from local.server import REGION
from local.stack import Credentials, StackFolder

#: Long enough for a busy machine.
PATIENCE_SECONDS = 30

type Deploy = Callable[..., Deployed]


@dataclass(frozen=True)
class Emulator:
    """A running emulator, its administrator and its root key."""

    url: str
    administrator: Credentials
    root: Credentials

    def client(self, service: str, credentials: Credentials | None = None, region: str = REGION) -> Any:
        """Return a boto3 client, by default the administrator's."""
        return _client(self.url, credentials or self.administrator, service, region)

    def deploy(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> "Deployed":
        """Deploy a template as a new stack."""
        deployed = Deployed(self, f"test-{uuid.uuid4().hex[:8]}")
        deployed.change("CREATE", resources, outputs)
        return deployed

    def total(self, namespace: str, metric: str, **dimensions: str) -> float:
        """Return the sum of a metric over the last ten minutes."""
        now = time.time()
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - 600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


@cache
def _client(url: str, credentials: Credentials, service: str, region: str) -> Any:
    return session(credentials, region).client(service, endpoint_url=url)


@dataclass(frozen=True)
class Deployed:
    """A deployed stack."""

    emulator: Emulator
    name: str

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        stack = self.emulator.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def physical_id(self, logical_id: str) -> str:
        """Return a resource's physical id."""
        response = self.emulator.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(response["StackResourceDetail"]["PhysicalResourceId"])

    def update(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> None:
        """Deploy another template to the stack with a change set, as CDK does."""
        self.change("UPDATE", resources, outputs)

    def change(self, kind: str, resources: dict[str, Any], outputs: dict[str, Any] | None) -> None:
        """Create and execute a change set; fail with the stack's events."""
        cloudformation = self.emulator.client("cloudformation")
        template = {
            "Resources": resources,
            "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()},
        }
        change_set = f"change-{uuid.uuid4().hex[:8]}"
        cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName=change_set,
            ChangeSetType=kind,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        described = cloudformation.describe_change_set(StackName=self.name, ChangeSetName=change_set)
        assert described["ExecutionStatus"] == "AVAILABLE", described["StatusReason"]
        cloudformation.execute_change_set(StackName=self.name, ChangeSetName=change_set)

        def status() -> str:
            return str(cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])

        eventually(lambda: not status().endswith("IN_PROGRESS"))
        if status() != f"{kind}_COMPLETE":
            events = cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
            raise AssertionError([event.get("ResourceStatusReason") for event in events])

    def delete(self) -> None:
        """Delete the stack and everything in it."""
        cloudformation = self.emulator.client("cloudformation")
        cloudformation.delete_stack(StackName=self.name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """Return a resource of a template; its type is the kind after ``AWS::``."""
    return {"Type": f"AWS::{kind}", "Properties": properties}


def function(code: str, **properties: Any) -> dict[str, Any]:
    """Return a Lambda function with inline code."""
    common = {"Handler": "index.handler", "Runtime": "python3.13", "Role": "arn:aws:iam::000000000000:role/none"}
    return resource("Lambda::Function", **(common | properties), Code={"ZipFile": code})


def table(kind: str = "DynamoDB::Table", **properties: Any) -> dict[str, Any]:
    """Return a DynamoDB table with the key ``pk``."""
    return resource(
        kind,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **properties,
    )


def allow(action: str) -> dict[str, Any]:
    """Return the policy of a resource that allows the account an action on it."""
    account = {"AWS": "arn:aws:iam::000000000000:root"}
    statement = {"Effect": "Allow", "Principal": account, "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def eventually(condition: Any, *, within: float = PATIENCE_SECONDS) -> Any:
    """Return the first true value of a condition; fail if there is none within some seconds."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within} s; at last: {value!r}"
        time.sleep(0.05)
    return value


@contextmanager
def emulator_below(root: Path) -> Iterator[Emulator]:
    """Start an emulator on a free port, and stop it after the block."""
    started = server.start(StackFolder(ports.free_port(), root))
    try:
        url = started.folder.endpoint_url
        yield Emulator(url, create_administrator(started.root, url), started.root)
    finally:
        started.stop()
