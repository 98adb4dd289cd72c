"""From the table of permissions to the statements of a role."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.constructs.secret_key import PURPOSE_CONDITION
from infra.data_stack import DataStack
from infra.permissions import PERMISSIONS


def statements(function: str, data: DataStack) -> list[iam.PolicyStatement]:
    """Return what :data:`~infra.permissions.PERMISSIONS` lets a function do, on these very resources."""
    permissions = PERMISSIONS[function]
    event_bus = Stack.of(data).format_arn(service="events", resource="event-bus", resource_name="default")
    candidates = (
        (permissions.table, data.table.table_arn, None),
        (permissions.secret_key, data.secret_key.key_arn, PURPOSE_CONDITION),
        (permissions.stream, data.table.table_stream_arn, None),
        (permissions.event_bus, event_bus, None),
    )
    return [
        iam.PolicyStatement(actions=[*actions], resources=[resource], conditions=conditions)
        for actions, resource, conditions in candidates
        if actions and resource
    ]
