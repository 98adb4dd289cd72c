"""IAM condition keys and resource ARNs that the policies of this service use."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb, dynamodb_streams


def kms_requests() -> None:
    """Support conditions on a KMS request: ``kms:EncryptionContext:{key}`` and ``kms:SigningAlgorithm``.

    MiniStack does not resolve these keys, and so denies every request with such a condition.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    tag_context = iam_actions.request_tag_context

    def request_context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, action, body, parameters)
        return context | kms_condition_keys(members(body)) if service == "kms" else context

    iam_actions.request_tag_context = request_context


def kms_condition_keys(request: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition keys of a request to KMS."""
    context = request.get("EncryptionContext") or {}
    keys = {f"kms:EncryptionContext:{key}": str(value) for key, value in context.items()}
    if "SigningAlgorithm" in request:
        keys["kms:SigningAlgorithm"] = str(request["SigningAlgorithm"])
    return keys


def loopback_and_roles() -> None:
    """Treat requests over the loopback interface as TLS in ``aws:SecureTransport``, and a role's session as the role.

    The emulator serves plain HTTP, only on this machine. Queues and topics that require TLS would refuse everything.
    MiniStack resolves ``aws:PrincipalArn`` of a role's session to the session; AWS resolves it to the role.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    resolve = iam_evaluator._resolve_condition_key

    def resolve_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:securetransport":
            return "true"
        value = resolve(key, context)
        return role_of_session(str(value)) if key.lower() == "aws:principalarn" else value

    iam_evaluator._resolve_condition_key = resolve_key


def role_of_session(arn: str) -> str:
    """Return the ARN of the role of an assumed role's session; any other ARN as it is."""
    return re.sub(r":sts:(.*):assumed-role/([^/]+)/.*", r":iam:\1:role/\2", arn)


def dynamodb_items() -> None:
    """Support conditions on the items of a DynamoDB request: ``LeadingKeys``, ``Attributes`` and ``ReturnValues``.

    MiniStack knows only ``Attributes`` of projections. ``ReturnValuesOnConditionCheckFailure`` has no condition key.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    """
    known = iam_actions.dynamodb_service_context

    def service_context(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = known(body)
        return context | item_condition_keys(members(body))

    iam_actions.dynamodb_service_context = service_context


def item_condition_keys(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition keys of the items that a request to DynamoDB names, also within a transaction."""
    operations = [*_operations(request)]
    keys = {
        "dynamodb:LeadingKeys": [key for operation in operations for key in _leading_keys(operation)],
        "dynamodb:Attributes": sorted({name for operation in operations for name in _attributes(operation)}),
        "dynamodb:ReturnValues": request.get("ReturnValues"),
    }
    return {name: value for name, value in keys.items() if value}


def _operations(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield request
    for member in request.get("TransactItems") or ():
        yield from (operation for operation in member.values() if isinstance(operation, dict))


def _leading_keys(operation: Mapping[str, Any]) -> Iterator[str]:
    table = dynamodb._tables.get(operation.get("TableName", "")) or {}
    key = (operation.get("Key") or operation.get("Item") or {}).get(table.get("pk_name"))
    if isinstance(key, dict):
        yield from (str(value) for value in key.values())


#: A name in an expression that is neither a placeholder nor the name of a function.
_NAME: Final = re.compile(r"(?<![:#\w])[A-Za-z_]\w*(?!\w*\()")
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE"})


def _attributes(operation: Mapping[str, Any]) -> Iterator[str]:
    for member in ("Key", "Item"):
        yield from operation.get(member) or ()
    yield from map(str, (operation.get("ExpressionAttributeNames") or {}).values())
    for name, expression in operation.items():
        if name.endswith("Expression") and isinstance(expression, str):
            yield from (found for found in _NAME.findall(expression) if found.upper() not in _KEYWORDS)


def log_streams_and_table_streams() -> None:
    """Authorize writes to a log by log stream, and reads of a table's stream by that stream.

    MiniStack authorizes the first only by log group, and the second without a resource. Policies that allow only these
    streams, ``log-group:NAME:*`` and ``table/NAME/stream/LABEL``, would then allow nothing.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    """
    extract = iam_actions.extract_resource_arn

    def resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *others: Any) -> str:
        known: str = extract(service, method, path, headers, body, *others)
        if service == "logs":
            return known + log_stream(members(body))
        if service == "dynamodbstreams":
            return table_stream(members(body)) or known
        return known

    iam_actions.extract_resource_arn = resource_arn


def log_stream(request: Mapping[str, Any]) -> str:
    """Return the ARN suffix of the log stream in a request to CloudWatch Logs, or an empty string."""
    name = request.get("logStreamName")
    return f":log-stream:{name}" if isinstance(name, str) else ""


def table_stream(request: Mapping[str, Any]) -> str | None:
    """Return the ARN of the stream in a request to DynamoDB Streams."""
    iterator = request.get("ShardIterator")
    if isinstance(iterator, str):
        request = {"StreamArn": (dynamodb_streams._decode_iterator(iterator) or {}).get("arn")}
    arn = request.get("StreamArn")
    return arn if isinstance(arn, str) else None


def members(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON request; none if its body is anything else."""
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


GAPS: Final = (kms_requests, loopback_and_roles, dynamodb_items, log_streams_and_table_streams)
