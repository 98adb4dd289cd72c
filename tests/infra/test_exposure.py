"""No template opens a resource to everyone or contains a secret (docs/adr/0080)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.paths import REPOSITORY
from tests.infra.synthesis import Resource, Synthesized

#: Resource types that would bypass the API, and stores that the design does not use.
BYPASSES = (
    "AWS::ApiGatewayV2::",
    "AWS::CloudFront::",
    "AWS::EC2::",
    "AWS::ElasticLoadBalancingV2::",
    "AWS::IAM::AccessKey",
    "AWS::IAM::User",
    "AWS::Lambda::Url",
    "AWS::S3::",
)


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the policy statements in a resource, wherever they are."""
    match value:
        case {"Effect": _}:
            yield value
        case dict():
            for each in value.values():
                yield from statements(each)
        case list():
            for each in value:
                yield from statements(each)


def principals(statement: dict[str, Any]) -> set[str]:
    principal = statement.get("Principal", {})
    named = principal.values() if isinstance(principal, dict) else [principal]
    return {each for value in named for each in (value if isinstance(value, list) else [value])}


def opens_to_everyone(properties: dict[str, Any]) -> bool:
    return any(each["Effect"] == "Allow" and "*" in principals(each) for each in statements(properties))


def assumed_by_others(properties: dict[str, Any]) -> bool:
    trusted = [each["Principal"] for each in statements(properties["AssumeRolePolicyDocument"])]
    return any(not isinstance(each, dict) or each.keys() != {"Service"} for each in trusted)


def called_by_others(properties: dict[str, Any]) -> bool:
    return not properties["Principal"].endswith(".amazonaws.com") or "SourceArn" not in properties


def key_outside_kms(properties: dict[str, Any]) -> bool:
    key = properties["Environment"]["Variables"].get("MFA_ENCRYPTION_KEY")
    return key is not None and not key.startswith("<AWS::KMS::Key")


def unencrypted(properties: dict[str, Any]) -> bool:
    return not properties.get("SqsManagedSseEnabled") and "KmsMasterKeyId" not in properties


#: The beginning of a resource's type, a finding, and the condition for it.
RULES: tuple[tuple[str, str, Callable[[dict[str, Any]], bool]], ...] = (
    *((kind, "bypasses the API", lambda _: True) for kind in BYPASSES),
    ("AWS::", "allows something to everyone", opens_to_everyone),
    ("AWS::IAM::Role", "is assumed by more than a service", assumed_by_others),
    ("AWS::Lambda::Permission", "lets more than one caller of one service call a function", called_by_others),
    ("AWS::Lambda::Function", "has a key that is not in KMS", key_outside_kms),
    ("AWS::SQS::Queue", "is not encrypted", unencrypted),
    ("AWS::SNS::Topic", "is not encrypted", unencrypted),
    ("AWS::Logs::LogGroup", "has no retention", lambda properties: "RetentionInDays" not in properties),
)


def findings(kind: str, properties: dict[str, Any]) -> list[str]:
    """Return what is wrong with a resource."""
    # A prefix must be the whole type or end at a colon: AWS::SQS::QueuePolicy is not an AWS::SQS::Queue.
    return [
        finding
        for prefix, finding, wrong in RULES
        if (kind == prefix or (prefix.endswith("::") and kind.startswith(prefix))) and wrong(properties)
    ]


def resources(environment: Synthesized) -> Iterator[tuple[str, Resource]]:
    for stack in environment.stacks_by_name.values():
        for name, resource in stack.template["Resources"].items():
            yield name, stack.resolve(resource)


def test_no_template_exposes_anything(each: Synthesized) -> None:
    found = [
        f"{name} {finding}"
        for name, resource in resources(each)
        for finding in findings(resource["Type"], resource.get("Properties", {}))
    ]

    assert found == []


ANYONE = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sns:Publish", "Resource": "*"}
OTHER_ACCOUNT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("AWS::SNS::TopicPolicy", {"PolicyDocument": {"Statement": [ANYONE]}}, "allows something to everyone"),
        (
            "AWS::IAM::Role",
            {"AssumeRolePolicyDocument": {"Statement": [OTHER_ACCOUNT]}},
            "is assumed by more than a service",
        ),
        ("AWS::Lambda::Permission", {"Principal": "210987654321"}, "more than one caller"),
        (
            "AWS::Lambda::Function",
            {"Environment": {"Variables": {"MFA_ENCRYPTION_KEY": "raw:c2VjcmV0"}}},
            "has a key that is not in KMS",
        ),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": False}, "is not encrypted"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": ...}, "has no retention"),
        ("AWS::SNS::Topic", {"KmsMasterKeyId": ...}, "is not encrypted"),
    ],
)
def test_finds_a_planted_exposure(prod: Synthesized, kind: str, change: dict[str, Any], expected: str) -> None:
    properties = next(resource["Properties"] for _, resource in resources(prod) if resource["Type"] == kind)
    planted = {name: value for name, value in (properties | change).items() if value is not ...}

    assert findings(kind, properties) == []
    assert any(expected in finding for finding in findings(kind, planted))


@pytest.mark.parametrize("kind", ["AWS::Lambda::Url", "AWS::S3::Bucket", "AWS::IAM::AccessKey"])
def test_finds_a_resource_that_bypasses_the_api(kind: str) -> None:
    assert findings(kind, {}) == ["bypasses the API"]


def test_no_route_has_parameters_in_its_url(prod: Synthesized) -> None:
    """URLs are stored in logs, histories and referrers, so they must not contain secrets, codes or users."""
    api = [(each["Type"], each["Properties"]) for _, each in resources(prod) if "ApiGateway" in each["Type"]]
    paths = [properties["PathPart"] for kind, properties in api if kind == "AWS::ApiGateway::Resource"]
    methods = [properties for kind, properties in api if kind == "AWS::ApiGateway::Method"]

    assert len(paths) >= 6
    assert [part for part in paths if "{" in part] == []
    assert [method for method in methods if "RequestParameters" in method] == []
    handlers = "".join(path.read_text() for path in (REPOSITORY / "functions").rglob("*.py"))
    assert [name for name in ("queryStringParameters", "pathParameters", "rawQueryString") if name in handlers] == []
