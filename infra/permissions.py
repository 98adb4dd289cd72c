"""What each function may do on AWS: one table, and the IAM statements that follow from it.

Each function may also write to its own log group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from functions.shared import contract
from functions.shared.contract import Attribute
from infra.constructs.secret_key import PURPOSE_CONDITION
from infra.constructs.signing_key import ALGORITHM_CONDITION, SIGN
from infra.constructs.storage import Storage


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """The actions of one function, by the resource that they are allowed on.

    Attributes
    ----------
    table
        On the table itself, never on an index.
    secret_key
        On the key that encrypts the TOTP secrets, only for the purpose of this service.
    proof_keys
        On the keys of the proof, where proofs are on.
    stream
        On the table's stream. Lambda's poller uses them through the function's role; the code does not.
    every_stream
        On all streams: actions of the poller that IAM does not restrict to one.
    event_bus
        On the event bus that receives the security events.
    dead_letters
        On the queue of changes for which no security event could be published.
    attributes
        The only attributes of an item that a request on the table may name; empty for all.
    returns_nothing
        Whether a request on the table may not ask for the item that it replaces.
    """

    table: tuple[str, ...] = ()
    secret_key: tuple[str, ...] = ()
    proof_keys: tuple[str, ...] = ()
    stream: tuple[str, ...] = ()
    every_stream: tuple[str, ...] = ()
    event_bus: tuple[str, ...] = ()
    dead_letters: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    returns_nothing: bool = False


#: Only items of this service, also in a table that others use.
OWN_ITEMS: Final = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [contract.partition_key("*")]}}

_SECOND_FACTOR: Final = Permissions(
    table=("dynamodb:GetItem", "dynamodb:UpdateItem"),
    secret_key=("kms:Decrypt",),
)

PERMISSIONS: Final[Mapping[str, Permissions]] = {
    # It cannot decrypt what it stored: an attacker in this function gets only the secrets that are enrolled meanwhile.
    # It can overwrite an item, but not put back an enabled one, whose attributes it may not write.
    contract.SETUP.function: Permissions(
        table=("dynamodb:PutItem",),
        secret_key=("kms:GenerateDataKey",),
        attributes=contract.PENDING_ATTRIBUTES,
        returns_nothing=True,
    ),
    contract.VERIFY_SETUP.function: replace(_SECOND_FACTOR, proof_keys=(SIGN,)),
    contract.VERIFY.function: replace(_SECOND_FACTOR, proof_keys=(SIGN,)),
    contract.BACKUP_CODES.function: _SECOND_FACTOR,
    contract.DISABLE.function: Permissions(
        table=("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
        secret_key=("kms:Decrypt",),
    ),
    contract.STATUS.function: Permissions(table=("dynamodb:GetItem",)),
    contract.AUTHORIZER_FUNCTION: Permissions(),
    contract.SECURITY_EVENTS_FUNCTION: Permissions(
        # Lambda requires all of them to create the event source mapping.
        stream=(
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
        ),
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
        every_stream=("dynamodb:ListStreams",),
        event_bus=("events:PutEvents",),
        dead_letters=("sqs:SendMessage",),
    ),
    contract.SIGNING_KEYS_FUNCTION: Permissions(proof_keys=("kms:GetPublicKey",)),
}

#: What DynamoDB does with a table's customer managed key on behalf of a caller that reads or writes an item.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
_READ_WITH_TABLE_KEY: Final = ("kms:Decrypt", "kms:DescribeKey")
_WRITE_WITH_TABLE_KEY: Final = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")

_WRITES: Final = frozenset({"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"})


def statements(
    function: str, storage: Storage, *, event_bus_arn: str | None = None, dead_letters_arn: str | None = None
) -> list[iam.PolicyStatement]:
    """Return the statements that :data:`PERMISSIONS` grants a function, on the resources that are given."""
    permissions = PERMISSIONS[function]
    candidates = (
        (permissions.table, storage.table.table_arn, _item_conditions(permissions)),
        (permissions.secret_key, storage.secret_key_arn, PURPOSE_CONDITION),
        (permissions.stream, storage.table.table_stream_arn, None),
        (permissions.every_stream, "*", None),
        (permissions.event_bus, event_bus_arn, None),
        (permissions.dead_letters, dead_letters_arn, None),
    )
    on_one_resource = [
        iam.PolicyStatement(actions=[*actions], resources=[resource], conditions=conditions)
        for actions, resource, conditions in candidates
        if actions and resource
    ]
    table_key, proof_keys = _table_key_statements(permissions, storage), _proof_key_statements(permissions, storage)
    return [*on_one_resource, *table_key, *proof_keys]


def _item_conditions(permissions: Permissions) -> dict[str, Any]:
    """Return the conditions on the items of a request.

    ``dynamodb:ReturnValues`` covers only ``ReturnValues``: no condition key covers
    ``ReturnValuesOnConditionCheckFailure``.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    """
    conditions: dict[str, Any] = {**OWN_ITEMS}
    if permissions.attributes:
        conditions["ForAllValues:StringEquals"] = {"dynamodb:Attributes": [*permissions.attributes]}
    if permissions.returns_nothing:
        conditions["StringEqualsIfExists"] = {"dynamodb:ReturnValues": "NONE"}
    return conditions


def _table_key_statements(permissions: Permissions, storage: Storage) -> list[iam.PolicyStatement]:
    """Return what DynamoDB needs to use the table's own key for the function; nothing without such a key."""
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


def _proof_key_statements(permissions: Permissions, storage: Storage) -> list[iam.PolicyStatement]:
    """Return the use of the proof's keys; nothing where proofs are off.

    Signing is allowed with every key, not only with the first: during a release that moves another key to the front,
    the old version still signs with the key before.
    """
    if not (permissions.proof_keys and storage.proof_key_arns):
        return []
    return [
        iam.PolicyStatement(
            actions=[*permissions.proof_keys],
            resources=[*storage.proof_key_arns],
            conditions=ALGORITHM_CONDITION if SIGN in permissions.proof_keys else None,
        )
    ]
