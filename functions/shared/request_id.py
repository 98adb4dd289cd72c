"""The id of a request, as it joins log lines, responses, stored items and security events.

API Gateway takes it over from a caller who sends ``X-Amzn-RequestId`` with a UUID. So it helps people to find a
request, but two requests can have the same id. Only API Gateway makes the ``extendedRequestId``.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EXTENDED: Final = re.compile(r"[A-Za-z0-9+/=_-]{1,64}")


def request_id(event: Mapping[str, Any], context: object = None) -> str:
    """Return API Gateway's id of a request, else Lambda's, else a new one: always a UUID.

    Anything else is replaced, because the id is stored with the item: an id of any length could make a write fail,
    and one that begins like an operator's could be taken for it.
    """
    for known in (_request_context(event).get("requestId"), getattr(context, "aws_request_id", None)):
        if isinstance(known, str) and _UUID.fullmatch(known):
            # In lower case: capital letters could look like a backup code to the filter that masks logs.
            return known.lower()
    return str(uuid.uuid4())


def extended_request_id(event: Mapping[str, Any]) -> str | None:
    """Return API Gateway's own id of a request, which a caller cannot choose; None for a direct invocation."""
    known = _request_context(event).get("extendedRequestId")
    return known if isinstance(known, str) and _EXTENDED.fullmatch(known) else None


def _request_context(event: Mapping[str, Any]) -> Mapping[str, Any]:
    context = event.get("requestContext")
    return context if isinstance(context, Mapping) else {}
