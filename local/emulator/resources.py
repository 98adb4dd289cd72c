"""CloudFormation resource types that MiniStack refuses, and properties that it ignores."""

import json
import uuid
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudformation, cloudwatch, kms, waf
from ministack.services.cloudformation import changesets, handlers, provisioners

from local.emulator.inert import INERT_TYPES

Properties = dict[str, Any]
Created = tuple[str, dict[str, str]]  # physical id and attributes


def inert_types() -> None:
    """Accept types that are not emulated, so that a template with them deploys."""
    for name in INERT_TYPES:
        provisioners._RESOURCE_HANDLERS[name] = {
            "create": _record,
            "update": lambda physical_id, _old, _new, _stack: (physical_id, {"Arn": physical_id}),
            "delete": lambda _physical_id, _properties: None,
        }


def _record(logical_id: str, _properties: Properties, stack: str) -> Created:
    physical_id = f"{stack}-{logical_id}-{uuid.uuid4().hex[:8]}"
    return physical_id, {"Arn": physical_id}


def composite_alarms() -> None:
    """Deploy ``AWS::CloudWatch::CompositeAlarm``: MiniStack has the alarms, but not the type."""

    def put(logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("AlarmName") or f"{stack}-{logical_id}"
        check(cloudwatch._put_composite_alarm({}, properties | {"AlarmName": name}, False, is_json=True))
        return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}

    def update(name: str, _old: Properties, new: Properties, stack: str) -> Created:
        return put("", new | {"AlarmName": new.get("AlarmName") or name}, stack)

    def delete(name: str, _properties: Properties) -> None:
        check(cloudwatch._delete_alarms({}, {"AlarmNames": [name]}, False, is_json=True))

    provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::CompositeAlarm"] = {
        "create": put,
        "update": update,
        "delete": delete,
    }


def web_acl_associations() -> None:
    """Deploy ``AWS::WAFv2::WebACLAssociation``: MiniStack has the association, but not the type."""

    def associate(_logical_id: str, properties: Properties, _stack: str) -> Created:
        check(waf._associate_web_acl(properties))
        return f"{properties['WebACLArn']}|{properties['ResourceArn']}", {}

    def disassociate(physical_id: str, _properties: Properties) -> None:
        check(waf._disassociate_web_acl({"ResourceArn": physical_id.partition("|")[2]}))

    provisioners._RESOURCE_HANDLERS["AWS::WAFv2::WebACLAssociation"] = {
        "create": associate,
        "update": lambda _physical_id, _old, new, stack: associate("", new, stack),
        "delete": disassociate,
    }


def replica_keys() -> None:
    """Deploy ``AWS::KMS::ReplicaKey``: MiniStack replicates keys, but does not know the type."""

    def replicate(_logical_id: str, properties: Properties, _stack: str) -> Created:
        here = get_region()
        _, _, _, primary_region, account, key = properties["PrimaryKeyArn"].split(":", 5)
        with request_scope(account, primary_region):
            response = kms._replicate_key(
                {
                    "KeyId": key.removeprefix("key/"),
                    "ReplicaRegion": here,
                    "Policy": json.dumps(properties["KeyPolicy"]),
                    "Description": properties.get("Description", ""),
                }
            )
        metadata = check(response)["ReplicaKeyMetadata"]
        return metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]}

    def update(key_id: str, _old: Properties, new: Properties, _stack: str) -> Created:
        check(kms._put_key_policy({"KeyId": key_id, "PolicyName": "default", "Policy": json.dumps(new["KeyPolicy"])}))
        return key_id, {"Arn": f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{key_id}", "KeyId": key_id}

    provisioners._RESOURCE_HANDLERS["AWS::KMS::ReplicaKey"] = {
        "create": replicate,
        "update": update,
        "delete": provisioners._kms_key_delete,
    }


def user_pool_urls() -> None:
    """Add the attribute ``ProviderURL`` to user pools."""
    attributes = provisioners._cognito_user_pool_attributes

    def with_url(pool_id: str) -> dict[str, str]:
        known: dict[str, str] = attributes(pool_id)
        return known | {"ProviderURL": f"https://{known['ProviderName']}"}

    provisioners._cognito_user_pool_attributes = with_url


def output_changes() -> None:
    """Execute change sets that change only outputs.

    MiniStack treats them as empty. CDK then skips the stack, and a new reference to it from another stack fails.
    """
    create = changesets._create_change_set

    def create_with_outputs(parameters: Any) -> Any:
        known = set(cloudformation._change_sets)
        response = create(parameters)
        for change_set in (cloudformation._change_sets[key] for key in set(cloudformation._change_sets) - known):
            stack = cloudformation._stacks.get(change_set["StackName"]) or {}
            current = (stack.get("_template") or {}).get("Outputs")
            if (
                change_set["Status"] == "FAILED"
                and "didn't contain changes" in change_set["StatusReason"]
                and (change_set["_template"] or {}).get("Outputs") != current
            ):
                change_set |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
        return response

    handlers._ACTION_HANDLERS["CreateChangeSet"] = create_with_outputs


def check(response: tuple[int, Any, bytes]) -> dict[str, Any]:
    """Return the body of a service's response, or fail the deployment with its error."""
    status, _, body = response
    if status >= 400:
        raise ValueError(body.decode())
    document: dict[str, Any] = json.loads(body) if body else {}
    return document


GAPS: Final = (
    inert_types,
    composite_alarms,
    web_acl_associations,
    replica_keys,
    user_pool_urls,
    output_changes,
)
