"""The version of a stored item, by which compare-and-swap knows what it read, and what it wrote itself."""

import secrets
from typing import Final

_BITS: Final = 48


def new_version() -> int:
    """Return a version that no other write has: drawn at random for each.

    An enrolment that replaces another never has the version that a request still holds of the one before it. And
    whoever finds the version they drew stored has written it: nobody else could know it, as they could a request's id,
    which API Gateway lets callers choose (header ``X-Amzn-RequestId``).
    """
    return secrets.randbits(_BITS)
