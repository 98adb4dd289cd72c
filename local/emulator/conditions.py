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
        return context | encryption_context_keys(body) | signing_keys(body) if service == "kms" else context

    iam_actions.request_tag_context = request_context


def encryption_context_keys(body: bytes) -> dict[str, str | list[str]]:
    """Return the condition keys of the encryption context in the body of a request to KMS."""
    try:
        encryption_context = json.loads(body)["EncryptionContext"]
        keys: dict[str, str | list[str]] = {
            f"kms:EncryptionContext:{key}": str(value) for key, value in encryption_context.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    return keys | {"kms:EncryptionContextKeys": list(encryption_context)}


def signing_keys(body: bytes) -> dict[str, str]:
    """Return the condition keys of a request to KMS for a signature or its verification."""
    request = _members(body)
    return {f"kms:{name}": str(request[name]) for name in ("SigningAlgorithm", "MessageType") if name in request}


def loopback_as_tls() -> None:
    """Treat requests over the loopback interface as TLS in ``aws:SecureTransport``.

    The emulator serves plain HTTP, only on this machine. Queues and topics that require TLS would refuse everything.
    """
    resolve = iam_evaluator._resolve_condition_key

    def resolve_key(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_key


def role_as_principal() -> None:
    """Resolve ``aws:PrincipalArn`` of a role's session to the role, as AWS does; MiniStack resolves it to the session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    resolve = iam_evaluator._resolve_condition_key

    def resolve_key(key: str, context: Any) -> Any:
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
        return context | item_condition_keys(_members(body))

    iam_actions.dynamodb_service_context = service_context


def item_condition_keys(request: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return the condition keys of the items that a request to DynamoDB names, also within a transaction."""
    keys: dict[str, str | list[str]] = {}
    operations = [*_operations(request)]
    leading = [key for operation in operations for key in _leading_keys(operation)]
    attributes = {name for operation in operations for name in _attributes(operation)}
    if leading:
        keys["dynamodb:LeadingKeys"] = leading
    if attributes:
        keys["dynamodb:Attributes"] = sorted(attributes)
    if isinstance(request.get("ReturnValues"), str):
        keys["dynamodb:ReturnValues"] = request["ReturnValues"]
    return keys


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
            return known + log_stream(body)
        if service == "dynamodbstreams":
            return table_stream(body) or known
        return known

    iam_actions.extract_resource_arn = resource_arn


def log_stream(body: bytes) -> str:
    """Return the ARN suffix of the log stream in a request to CloudWatch Logs, or an empty string."""
    name = _members(body).get("logStreamName")
    return f":log-stream:{name}" if isinstance(name, str) else ""


def table_stream(body: bytes) -> str | None:
    """Return the ARN of the stream in a request to DynamoDB Streams."""
    request = _members(body)
    iterator = request.get("ShardIterator")
    if isinstance(iterator, str):
        request = {"StreamArn": (dynamodb_streams._decode_iterator(iterator) or {}).get("arn")}
    arn = request.get("StreamArn")
    return arn if isinstance(arn, str) else None


def _members(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


GAPS: Final = (
    kms_requests,
    loopback_as_tls,
    role_as_principal,
    dynamodb_items,
    log_streams_and_table_streams,
)
