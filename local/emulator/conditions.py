"""IAM condition keys, and names of resources, that policies of this service use."""

import json
from typing import Any, Final

from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb_streams


def kms_encryption_context() -> None:
    """Let policies condition the use of a key on the encryption context, as ``kms:EncryptionContext:{key}``.

    MiniStack resolves no such key, and so denies every request that a policy conditions on it.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    tag_context = iam_actions.request_tag_context

    def request_context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, action, body, parameters)
        return context | encryption_context_keys(body) if service == "kms" else context

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


def loopback_as_tls() -> None:
    """Let a request over the loopback interface count as one over TLS, for which ``aws:SecureTransport`` asks.

    The emulator serves plain HTTP on this machine alone. Queues and topics that refuse anything but TLS would refuse
    everything.
    """
    resolve = iam_evaluator._resolve_condition_key

    def resolve_key(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_key


def log_streams_and_table_streams() -> None:
    """Judge what is written to a log by its stream, and what is read of a table's stream by that stream.

    MiniStack judges the one by the log group alone, and the other by no resource. Policies that allow just these
    streams, ``log-group:NAME:*`` and ``table/NAME/stream/LABEL``, then allow nothing.
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
    """Return the end of the ARN of the log stream that a request to CloudWatch Logs names; nothing if it names none."""
    name = _members(body).get("logStreamName")
    return f":log-stream:{name}" if isinstance(name, str) else ""


def table_stream(body: bytes) -> str | None:
    """Return the ARN of the stream that a request to DynamoDB Streams is about."""
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


GAPS: Final = (kms_encryption_context, loopback_as_tls, log_streams_and_table_streams)
