"""CloudFormation resource types that MiniStack refuses, and properties that it ignores."""

import json
import uuid
from collections.abc import Callable
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudformation, cloudwatch, dynamodb, kms, waf
from ministack.services.cloudformation import changesets, handlers, provisioners

from local.emulator.inert import INERT_TYPES

_Properties = dict[str, Any]
_Created = tuple[str, dict[str, str]]  # physical id and attributes


def inert_types() -> None:
    """Accept types that are not emulated, so that a template with them deploys."""
    for each in INERT_TYPES:
        provisioners._RESOURCE_HANDLERS[each.what] = {
            "create": _record,
            "update": lambda physical_id, _old, _new, _stack: (physical_id, {"Arn": physical_id}),
            "delete": lambda _physical_id, _properties: None,
        }


def _record(logical_id: str, _properties: _Properties, stack: str) -> _Created:
    physical_id = f"{stack}-{logical_id}-{uuid.uuid4().hex[:8]}"
    return physical_id, {"Arn": physical_id}


def composite_alarms() -> None:
    """Deploy ``AWS::CloudWatch::CompositeAlarm``: MiniStack has the alarms, but not the type."""

    def put(logical_id: str, properties: _Properties, stack: str) -> _Created:
        name = properties.get("AlarmName") or f"{stack}-{logical_id}"
        _check(cloudwatch._put_composite_alarm({}, properties | {"AlarmName": name}, False, is_json=True))
        return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}

    def update(name: str, _old: _Properties, new: _Properties, stack: str) -> _Created:
        return put("", new | {"AlarmName": new.get("AlarmName") or name}, stack)

    def delete(name: str, _properties: _Properties) -> None:
        _check(cloudwatch._delete_alarms({}, {"AlarmNames": [name]}, False, is_json=True))

    provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::CompositeAlarm"] = {
        "create": put,
        "update": update,
        "delete": delete,
    }


def web_acl_associations() -> None:
    """Deploy ``AWS::WAFv2::WebACLAssociation``: MiniStack has the association, but not the type."""

    def associate(_logical_id: str, properties: _Properties, _stack: str) -> _Created:
        _check(waf._associate_web_acl(properties))
        return f"{properties['WebACLArn']}|{properties['ResourceArn']}", {}

    def disassociate(physical_id: str, _properties: _Properties) -> None:
        _check(waf._disassociate_web_acl({"ResourceArn": physical_id.partition("|")[2]}))

    provisioners._RESOURCE_HANDLERS["AWS::WAFv2::WebACLAssociation"] = {
        "create": associate,
        "update": lambda _physical_id, _old, new, stack: associate("", new, stack),
        "delete": disassociate,
    }


def replica_keys() -> None:
    """Deploy ``AWS::KMS::ReplicaKey``: MiniStack replicates keys, but does not know the type."""

    def replicate(_logical_id: str, properties: _Properties, _stack: str) -> _Created:
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
        metadata = _check(response)["ReplicaKeyMetadata"]
        return metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]}

    def update(key_id: str, _old: _Properties, new: _Properties, _stack: str) -> _Created:
        _check(kms._put_key_policy({"KeyId": key_id, "PolicyName": "default", "Policy": json.dumps(new["KeyPolicy"])}))
        return key_id, {"Arn": f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{key_id}", "KeyId": key_id}

    provisioners._RESOURCE_HANDLERS["AWS::KMS::ReplicaKey"] = {
        "create": replicate,
        "update": update,
        "delete": provisioners._kms_key_delete,
    }


def table_settings() -> None:
    """Set the time to live and point-in-time recovery of tables, which MiniStack ignores."""
    for type_name in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        handler = provisioners._RESOURCE_HANDLERS[type_name]
        handler["create"] = _then_settings(handler["create"], properties_at=1)
        handler["update"] = _then_settings(handler["update"], properties_at=2)


def _then_settings(function: Callable[..., _Created], *, properties_at: int) -> Callable[..., _Created]:
    def wrapped(*arguments: Any, **options: Any) -> _Created:
        result = function(*arguments, **options)
        _apply_table_settings(result[0], arguments[properties_at])
        return result

    return wrapped


def _apply_table_settings(table: str, properties: _Properties) -> None:
    if expiry := properties.get("TimeToLiveSpecification"):
        specification = {"Enabled": _true(expiry["Enabled"]), "AttributeName": expiry["AttributeName"]}
        _check(dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": specification}))
    # A global table has the recovery setting in each replica.
    settings = next(iter(properties.get("Replicas") or []), properties)
    if recovery := settings.get("PointInTimeRecoverySpecification"):
        enabled = {"PointInTimeRecoveryEnabled": _true(recovery["PointInTimeRecoveryEnabled"])}
        _check(dynamodb._update_continuous_backups({"TableName": table, "PointInTimeRecoverySpecification": enabled}))


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


def _check(response: tuple[int, Any, bytes]) -> dict[str, Any]:
    """Return the body of a service's response, or fail the deployment with its error."""
    status, _, body = response
    if status >= 400:
        raise ValueError(body.decode())
    document: dict[str, Any] = json.loads(body) if body else {}
    return document


def _true(value: object) -> bool:
    return str(value).lower() == "true"


GAPS: Final = (
    inert_types,
    composite_alarms,
    web_acl_associations,
    replica_keys,
    table_settings,
    user_pool_urls,
    output_changes,
)
