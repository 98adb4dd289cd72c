"""IAM condition keys that policies of this service use."""

import json
from typing import Any, Final

from ministack.core import iam_actions


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


GAPS: Final = (kms_encryption_context,)
