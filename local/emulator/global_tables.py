"""DynamoDB tables in CloudFormation: protection against deletion, and the replicas of global tables."""

from collections.abc import Callable
from typing import Any, Final

from ministack.core.responses import get_region
from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

_GLOBAL_TABLE: Final = "AWS::DynamoDB::GlobalTable"
_Properties = dict[str, Any]


def one_replica_an_update() -> None:
    """Refuse an update that adds or removes more than one replica of a global table; a new table may have any number.

    MiniStack ignores replicas.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
    """
    handler = provisioners._RESOURCE_HANDLERS[_GLOBAL_TABLE]
    update = handler["update"]

    def update_one(table: str, old: _Properties, new: _Properties, *arguments: Any, **options: Any) -> Any:
        changed = sorted(_regions(old) ^ _regions(new))
        if len(changed) > 1:
            regions = ", ".join(changed)
            raise ValueError(f"You can only add or remove one replica of {table} in each stack update, not {regions}")
        return update(table, old, new, *arguments, **options)

    handler["update"] = update_one


def _regions(properties: _Properties) -> set[str]:
    return {replica["Region"] for replica in properties.get("Replicas") or []}


def protected_tables() -> None:
    """Protect tables against deletion by CloudFormation too, and global tables as their local replica says.

    MiniStack ignores the protection of global tables, and deletes protected tables with their stack.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html
    """
    global_table = provisioners._RESOURCE_HANDLERS[_GLOBAL_TABLE]
    global_table["create"] = _then_protected(global_table["create"], properties_at=1)
    global_table["update"] = _then_protected(global_table["update"], properties_at=2)
    for kind in ("AWS::DynamoDB::Table", _GLOBAL_TABLE):
        handler = provisioners._RESOURCE_HANDLERS[kind]
        handler["delete"] = _unless_protected(handler["delete"])


def _then_protected(function: Callable[..., Any], *, properties_at: int) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        for replica in arguments[properties_at].get("Replicas") or []:
            if replica["Region"] == get_region():
                protected = str(replica.get("DeletionProtectionEnabled")).lower() == "true"
                dynamodb._tables[result[0]]["DeletionProtectionEnabled"] = protected
        return result

    return wrapped


def _unless_protected(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(table: str, *arguments: Any, **options: Any) -> Any:
        if (dynamodb._tables.get(table) or {}).get("DeletionProtectionEnabled"):
            raise ValueError(f"Resource cannot be deleted as it is currently protected against deletion: {table}")
        return function(table, *arguments, **options)

    return wrapped


GAPS: Final = (one_replica_an_update, protected_tables)
