"""The resources that must never be replaced, and the changes that would replace them.

CloudFormation deletes a resource, or creates an empty one in its place, when its logical id, its type or one of the
properties changes that cannot be changed in place.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from infra.outputs import StackId
from tests.infra.readable import simplified
from tests.infra.synthesis import Synthesized

STATEFUL_STACKS: Final = (StackId.DATA, StackId.IDENTITY, StackId.REPLICA)

#: Properties that cannot be changed in place according to the documentation only; the schemas do not list them.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html, and others
_DOCUMENTED: Final = {
    "AWS::KMS::Key": {"KeySpec", "KeyUsage", "MultiRegion", "Origin"},
    "AWS::Cognito::UserPool": {"AliasAttributes", "Schema", "UsernameAttributes", "UsernameConfiguration"},
}
#: Deletion policies that keep a resource when its stack or its template no longer has it.
_KEPT: Final = ("Retain", "RetainExceptOnCreate")

type Resources = dict[str, dict[str, Any]]


def stateful_resources(environment: Synthesized) -> dict[str, Resources]:
    """Return what identifies each resource of the stateful stacks, by stack name and logical id."""
    prefixes = tuple(f"mfa-{environment.config.environment}-{stack}" for stack in STATEFUL_STACKS)
    return {
        name: {logical_id: _identity(each) for logical_id, each in stack.template["Resources"].items()}
        for name, stack in environment.stacks_by_name.items()
        if name.startswith(prefixes)
    }


def _identity(resource: Mapping[str, Any]) -> dict[str, Any]:
    kind, properties = resource["Type"], resource.get("Properties", {})
    fixed = sorted(fixed_properties(kind) & set(properties))
    return {
        "Type": kind,
        "DeletionPolicy": resource.get("DeletionPolicy", "Delete"),
        "UpdateReplacePolicy": resource.get("UpdateReplacePolicy", "Delete"),
        "Properties": {name: simplified(properties[name]) for name in fixed},
    }


@cache
def fixed_properties(kind: str) -> frozenset[str]:
    """Return the properties of a resource type that cannot be changed in place."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    pointers = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
    return frozenset(pointer.split("/")[2] for pointer in pointers) | frozenset(_DOCUMENTED.get(kind, ()))


def losses(previous: Mapping[str, Resources], present: Mapping[str, Resources]) -> Iterator[str]:
    """Yield what deploying the present version over the previous one would lose, or protect less."""
    for stack, resources in previous.items():
        for logical_id, before in resources.items():
            where = f"{stack}: {before['Type']} {logical_id}"
            after = present.get(stack, {}).get(logical_id)
            if after is None:
                yield f"{where} would be gone"
            elif after["Type"] != before["Type"]:
                yield f"{where} would become {after['Type']}"
            else:
                yield from (f"{where} {change}" for change in _changes(before, after))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(before["Properties"].keys() | after["Properties"].keys()):
        old, new = before["Properties"].get(name), after["Properties"].get(name)
        if old != new:
            yield f"would be replaced, as {name} changes from {old!r} to {new!r}"
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        if before[policy] in _KEPT and after[policy] not in _KEPT:
            yield f"would no longer be kept: {policy} changes from {before[policy]} to {after[policy]}"
