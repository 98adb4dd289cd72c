"""DynamoDB tables: their settings and replicas in CloudFormation, protection against deletion, and expired items."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ministack.core.responses import AccountRegionScopedDict, get_region
from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from local.emulator.resources import Created, Properties, check


def tables_in_templates() -> None:
    """Apply all settings of a table, refuse two changes of replicas at once, and keep protected tables.

    MiniStack ignores the time to live, point-in-time recovery and replicas, and deletes protected tables with their
    stack. A new global table may have any number of replicas; an update may add or remove one.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html
    """
    for kind in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        handler = provisioners._RESOURCE_HANDLERS[kind]
        handler["create"] = partial(_create, handler["create"])
        handler["update"] = partial(_update, handler["update"])
        handler["delete"] = partial(_delete, handler["delete"])


def _create(create: Callable[..., Created], logical_id: str, properties: Properties, *arguments: Any) -> Created:
    created = create(logical_id, properties, *arguments)
    _apply_settings(created[0], properties)
    return created


def _update(update: Callable[..., Created], table: str, old: Properties, new: Properties, *arguments: Any) -> Created:
    changed = sorted(_replicas(old).keys() ^ _replicas(new).keys())
    if len(changed) > 1:
        regions = ", ".join(changed)
        raise ValueError(f"You can only add or remove one replica of {table} in each stack update, not {regions}")
    updated = update(table, old, new, *arguments)
    _apply_settings(updated[0], new)
    return updated


def _delete(delete: Callable[..., None], table: str, *arguments: Any) -> None:
    if (dynamodb._tables.get(table) or {}).get("DeletionProtectionEnabled"):
        raise ValueError(f"Resource cannot be deleted as it is currently protected against deletion: {table}")
    delete(table, *arguments)


def _replicas(properties: Properties) -> dict[str, Properties]:
    return {replica["Region"]: replica for replica in properties.get("Replicas") or []}


def _apply_settings(table: str, properties: Properties) -> None:
    if expiry := properties.get("TimeToLiveSpecification"):
        specification = {"Enabled": _true(expiry["Enabled"]), "AttributeName": expiry["AttributeName"]}
        check(dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": specification}))
    # A global table has the other settings in each replica.
    settings = _replicas(properties).get(get_region(), properties)
    if recovery := settings.get("PointInTimeRecoverySpecification"):
        enabled = {"PointInTimeRecoveryEnabled": _true(recovery["PointInTimeRecoveryEnabled"])}
        check(dynamodb._update_continuous_backups({"TableName": table, "PointInTimeRecoverySpecification": enabled}))
    if settings is not properties:  # MiniStack applies the protection of other tables
        dynamodb._tables[table]["DeletionProtectionEnabled"] = _true(settings.get("DeletionProtectionEnabled"))


def _true(value: object) -> bool:
    return str(value).lower() == "true"


class _Unswept(AccountRegionScopedDict):  # type: ignore[misc] # MiniStack has no types
    """Settings that can be read, but that the deletion of expired items does not see."""

    __slots__ = ()

    def all_items(self) -> list[Any]:
        return []


def expired_items_stay() -> None:
    """Keep expired items, as AWS does for hours or days.

    MiniStack deletes them within a minute, sometimes before the request that should see the expired item, and without a
    record in the table's stream.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
    """
    dynamodb._ttl_settings = _Unswept()


GAPS: Final = (tables_in_templates, expired_items_stay)
