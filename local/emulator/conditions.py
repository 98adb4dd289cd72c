"""IAM condition keys that policies of this service use."""

import json
from typing import Any, Final

from ministack.core import iam_actions, iam_evaluator


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


GAPS: Final = (kms_encryption_context, loopback_as_tls)
