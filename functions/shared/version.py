"""The version of a stored item: compare-and-swap uses it to detect other writes and to recognise its own."""

import secrets
from typing import Final

_BITS: Final = 48


def new_version() -> int:
    """Return a version that no other write has: each is drawn at random.

    So an enrolment that replaces another never has the version of the replaced one, which a request may still hold. If
    a request finds its own version stored, it wrote the item. The request id would not prove that, because API Gateway
    lets callers choose it (header ``X-Amzn-RequestId``).
    """
    return secrets.randbits(_BITS)
