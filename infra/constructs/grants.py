"""From the table of permissions to the statements of a role."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.constructs.secret_key import PURPOSE_CONDITION
from infra.constructs.storage import Storage
from infra.permissions import PERMISSIONS

#: What DynamoDB does with a table's customer managed key in the name of whoever reads or writes an item.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
_READ_WITH_TABLE_KEY: Final = ("kms:Decrypt", "kms:DescribeKey")
_WRITE_WITH_TABLE_KEY: Final = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")

_WRITES: Final = frozenset({"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"})


def statements(function: str, storage: Storage) -> list[iam.PolicyStatement]:
    """Return what :data:`~infra.permissions.PERMISSIONS` lets a function do with the table and the keys.

    What the publisher of security events may do besides is granted by its own construct.
    """
    permissions = PERMISSIONS[function]
    candidates = (
        (permissions.table, storage.table.table_arn, None),
        (permissions.secret_key, storage.secret_key_arn, PURPOSE_CONDITION),
    )
    return [
        iam.PolicyStatement(actions=[*actions], resources=[resource], conditions=conditions)
        for actions, resource, conditions in candidates
        if actions and resource
    ] + table_key_statements(function, storage)


def table_key_statements(function: str, storage: Storage) -> list[iam.PolicyStatement]:
    """Return what a function must be allowed on the table's own key, through DynamoDB alone; nothing without one."""
    permissions = PERMISSIONS[function]
    if storage.table_key_arn is None or not (permissions.table or permissions.stream):
        return []
    writes = _WRITE_WITH_TABLE_KEY if _WRITES & set(permissions.table) else ()
    region = Stack.of(storage.table).region
    return [
        iam.PolicyStatement(
            actions=[*_READ_WITH_TABLE_KEY, *writes],
            resources=[storage.table_key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{region}.amazonaws.com"}},
        )
    ]
