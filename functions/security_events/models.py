"""A security event, in the form that subscribers receive."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.shared.clock import iso_timestamp
from functions.shared.contract import EVENT_VERSION, SecurityEventType

type Detail = dict[str, str | int | None]
"""The ``detail`` of an event: a flat JSON object."""


@dataclass(frozen=True, kw_only=True)
class SecurityEvent:
    """Something that happened to one user's second factor. It contains no secret, code or hash.

    Attributes
    ----------
    type : SecurityEventType
        What happened.
    event_id : str
        Unique to this event and the same at every delivery, so that a subscriber can drop duplicates.
    user_id : str
        The user whose second factor it is.
    occurred_at : int
        Epoch seconds at which DynamoDB wrote the change.
    request_id : str or None
        The request that wrote it; None for a deletion, because a deleted item cannot store one.
    facts : mapping
        Further members of events of this type.
    """

    type: SecurityEventType
    event_id: str
    user_id: str
    occurred_at: int
    request_id: str | None
    facts: Mapping[str, str | int | None] = field(default_factory=dict)

    def detail(self, environment: str) -> Detail:
        """Return the event's ``detail``; ``docs/events.md`` describes it for subscribers."""
        return {
            "version": EVENT_VERSION,
            "event_id": self.event_id,
            "environment": environment,
            "user_id": self.user_id,
            "occurred_at": iso_timestamp(self.occurred_at),
            "request_id": self.request_id,
            **self.facts,
        }
