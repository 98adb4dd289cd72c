"""A security event, in the form that subscribers get."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.shared.clock import iso_timestamp
from functions.shared.contract import EVENT_VERSION, SecurityEventType

type Detail = dict[str, str | int | None]
"""The ``detail`` of an event: a flat JSON object."""


@dataclass(frozen=True, kw_only=True)
class SecurityEvent:
    """Something that happened to one user's second factor. Holds no secret, no code and no hash of one.

    Attributes
    ----------
    type : SecurityEventType
        What happened.
    event_id : str
        The same for every delivery of this event, and for no other: by it a subscriber drops duplicates.
    user_id : str
        Whose second factor it is.
    occurred_at : int
        Epoch seconds at which DynamoDB wrote the change.
    request_id : str or None
        The request that wrote it; None for a deletion, which leaves nothing behind that could name one.
    facts : mapping
        What events of this type tell besides.
    """

    type: SecurityEventType
    event_id: str
    user_id: str
    occurred_at: int
    request_id: str | None
    facts: Mapping[str, str | int | None] = field(default_factory=dict)

    def detail(self, environment: str) -> Detail:
        """Return the event's ``detail``; ``docs/events.md`` is its description for subscribers."""
        return {
            "version": EVENT_VERSION,
            "event_id": self.event_id,
            "environment": environment,
            "user_id": self.user_id,
            "occurred_at": iso_timestamp(self.occurred_at),
            "request_id": self.request_id,
            **self.facts,
        }
