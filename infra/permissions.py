"""What each function may do on AWS: one table, kept to the letter in each function's role.

Writing to its own log group comes on top for each. The module needs no CDK: packaging reads it too, as a
function ships the API models of those services alone that it may call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.shared import contract


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Actions of one function, by the resource that they are allowed on.

    Attributes
    ----------
    table
        On the table itself, in no case on an index.
    secret_key
        On the key that seals the TOTP secrets, for the purpose of this service alone.
    stream
        On the table's stream. Used by Lambda's poller in the function's name, not by its code.
    event_bus
        On the event bus that security events go to.
    dead_letters
        On the queue of the changes that no security event could be made of, or that Lambda gave up.
    """

    table: tuple[str, ...] = ()
    secret_key: tuple[str, ...] = ()
    stream: tuple[str, ...] = ()
    event_bus: tuple[str, ...] = ()
    dead_letters: tuple[str, ...] = ()


_SECOND_FACTOR: Final = Permissions(
    table=("dynamodb:GetItem", "dynamodb:UpdateItem"),
    secret_key=("kms:Decrypt",),
)

PERMISSIONS: Final[Mapping[str, Permissions]] = {
    # Cannot decrypt what it stored: who takes over this function learns no secret but those enrolled meanwhile.
    contract.SETUP.function: Permissions(table=("dynamodb:PutItem",), secret_key=("kms:GenerateDataKey",)),
    contract.VERIFY_SETUP.function: _SECOND_FACTOR,
    contract.VERIFY.function: _SECOND_FACTOR,
    contract.BACKUP_CODES.function: _SECOND_FACTOR,
    contract.DISABLE.function: Permissions(
        table=("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
        secret_key=("kms:Decrypt",),
    ),
    contract.STATUS.function: Permissions(table=("dynamodb:GetItem",)),
    contract.AUTHORIZER_FUNCTION: Permissions(),
    contract.SECURITY_EVENTS_FUNCTION: Permissions(
        # All that Lambda asks for when it makes the mapping.
        stream=(
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ),
        event_bus=("events:PutEvents",),
        dead_letters=("sqs:SendMessage",),
    ),
}
