"""The policy statements of templates, checked against AWS's service authorization reference.

The package ``policy_sentry`` contains the reference, so the check needs no network.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from policy_sentry.shared.iam_data import get_service_prefix_data
from policy_sentry.util.arns import ARN
from policy_sentry.util.conditions import is_condition_key_match

from tests.infra.synthesis import Stack

#: Global condition keys that a statement may use with every action of the services here. The reference of a service
#: leaves them out. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_GLOBAL_KEYS: Final = frozenset({"aws:principalarn", "aws:securetransport", "aws:sourceaccount", "aws:sourcearn"})

_ACCOUNT: Final = "arn:aws:{service}:us-east-1:123456789012:{resource}"
#: ARNs of the resources that statements refer to, by type and attribute.
_ARNS: Final[Mapping[str, str]] = {
    name: _ACCOUNT.format(service=service, resource=resource)
    for name, service, resource in (
        ("AWS::DynamoDB::GlobalTable Arn", "dynamodb", "table/sample"),
        ("AWS::DynamoDB::GlobalTable StreamArn", "dynamodb", "table/sample/stream/sample"),
        ("AWS::Events::EventBus Arn", "events", "event-bus/sample"),
        ("AWS::KMS::Key Arn", "kms", "key/sample"),
        # CloudFormation's attribute ends with `:*`: every stream of the group.
        ("AWS::Logs::LogGroup Arn", "logs", "log-group:sample:log-stream:sample"),
        ("AWS::SNS::Topic", "sns", "sample"),
        ("AWS::SQS::Queue Arn", "sqs", "sample"),
    )
}
#: What ``*`` means in a resource's own policy: the resource.
_OWN_POLICY: Final[Mapping[str, str]] = {
    "AWS::KMS::Key": _ARNS["AWS::KMS::Key Arn"],
    "AWS::KMS::ReplicaKey": _ARNS["AWS::KMS::Key Arn"],
}
#: What a policy without a resource is attached to.
_ATTACHED_TO: Final[Mapping[str, str]] = {
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/sample",
    "AWS::Lambda::Permission": _ACCOUNT.format(service="lambda", resource="function:sample"),
}
_REFERENCE: Final = re.compile(r"<(AWS::\w+::\w+)(?: /[^ >]*)?(?: [^ >]*)??( (?:Stream)?Arn)?>")
_PSEUDO_PARAMETERS: Final = {
    "<AWS::AccountId>": "123456789012",
    "<AWS::Partition>": "aws",
    "<AWS::Region>": "us-east-1",
    "<AWS::URLSuffix>": "amazonaws.com",
}


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document or of a Lambda permission.

    Attributes
    ----------
    where
        Logical id of the resource with the policy.
    actions, resources, conditions
        Its actions, the ARNs that it applies to or ``*``, and its condition keys.
    """

    where: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]


def statements(stack: Stack) -> Iterator[Statement]:
    """Yield every statement of every policy of a stack.

    Raises
    ------
    KeyError
        A statement names a resource of a type without an example in this module.
    """
    for name, resource in stack.template["Resources"].items():
        kind, properties = resource["Type"], stack.resolve(resource.get("Properties", {}))
        if kind == "AWS::Lambda::Permission":
            conditions = [key for key in ("SourceArn", "SourceAccount") if key in properties]
            yield _statement(
                name,
                kind,
                {
                    "Action": properties["Action"],
                    "Condition": {"ArnLike": dict.fromkeys(f"aws:{key}" for key in conditions)},
                },
            )
        for statement in _documents(properties):
            yield _statement(name, kind, statement)


def _documents(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the statements in a part of a template. Log groups' data protection has statements without actions."""
    match value:
        case {"Statement": list(found)}:
            yield from (each for each in found if "Action" in each)
        case dict():
            for each in value.values():
                yield from _documents(each)
        case list():
            for each in value:
                yield from _documents(each)
        case str() if '"Statement"' in value:
            yield from _documents(json.loads(value))


def _statement(where: str, kind: str, statement: Mapping[str, Any]) -> Statement:
    resources = _listed(statement.get("Resource", _ATTACHED_TO.get(kind, "*")))
    keys = [key for operator in statement.get("Condition", {}).values() for key in operator]
    return Statement(
        where,
        actions=tuple(_listed(statement["Action"])),
        resources=tuple(_OWN_POLICY.get(kind, "*") if each == "*" else _arn(each) for each in resources),
        conditions=tuple(keys),
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _arn(text: str) -> str:
    for parameter, value in _PSEUDO_PARAMETERS.items():
        text = text.replace(parameter, value)
    return _REFERENCE.sub(lambda found: _ARNS[found[1] + (found[2] or "")], text)


def findings(statement: Statement) -> Iterator[str]:
    """Yield what the reference does not know of a statement, each with the statement's place and action.

    An action with a wildcard must have one action that fits.
    """
    for action in statement.actions:
        where = f"{statement.where}: {action}"
        service, _, name = action.partition(":")
        known = get_service_prefix_data(service).get("privileges", {})
        found = [known[each] for each in known if fnmatchcase(each, name)]
        if not found:
            yield f"{where} does not exist"
            continue
        for resource in statement.resources:
            if not any(_applies(privilege, resource, service) for privilege in found):
                yield f"{where} does not apply to {resource}"
        for key in statement.conditions:
            if key.lower() not in _GLOBAL_KEYS and not any(_knows(privilege, key) for privilege in found):
                yield f"{where} has no condition key {key}"


def _applies(privilege: Mapping[str, Any], resource: str, service: str) -> bool:
    kinds = [kind for kind in privilege["resource_types"] if kind]
    if resource == "*" or not kinds:
        return resource == "*" and not kinds
    known = get_service_prefix_data(service)["resources"]
    return any(ARN(resource).same_resource_type(known[kind]["arn"]) for kind in kinds)


def _knows(privilege: Mapping[str, Any], key: str) -> bool:
    keys = (each for kind in privilege["resource_types"].values() for each in kind["condition_keys"])
    return any(is_condition_key_match(each, key) for each in keys)
