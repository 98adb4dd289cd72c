"""The way from the table's stream to a subscriber of the event bus."""

import json
from typing import Any, Final

from functions.shared.contract import EVENT_SOURCE, SECURITY_EVENTS_FUNCTION, Env, SecurityEventType
from tests.acceptance.deployment import Deployment
from tests.acceptance.model import NotAnswerableError, require
from tests.support.temporary_queue import events_of_bus

_LAST: Final = SecurityEventType.MFA_DISABLED
_EXPECTED: Final = {
    SecurityEventType.MFA_ENABLED,
    SecurityEventType.BACKUP_CODE_USED,
    SecurityEventType.BACKUP_CODES_REGENERATED,
    _LAST,
}
_WAIT_SECONDS: Final = 5


def arrive(deployment: Deployment) -> str:
    """Enrol, log in and turn MFA off, with a temporary rule and queue on the bus."""
    if SECURITY_EVENTS_FUNCTION not in deployment.functions:
        raise NotAnswerableError("the table has no stream")
    bus = deployment.variables(SECURITY_EVENTS_FUNCTION)[Env.EVENT_BUS_NAME]
    pattern = {"source": [EVENT_SOURCE], "detail": {"environment": [deployment.environment]}}
    # The claim that identifies the user is a setting.
    identities = {each for each in deployment.claims().values() if isinstance(each, str)}
    received: list[dict[str, Any]] = []

    def of_this_user() -> set[str]:
        return {each["detail-type"] for each in received if each["detail"]["user_id"] in identities}

    with events_of_bus(deployment, pattern, bus=bus) as queue:
        deployment.settle()
        deployment.journey()
        waited = 0.0
        while _LAST not in of_this_user() and waited < deployment.patience.messages:
            received += map(json.loads, queue.receive(wait=_WAIT_SECONDS))
            waited += _WAIT_SECONDS
    missing = _EXPECTED - of_this_user()
    require(not missing, f"these events did not arrive: {', '.join(sorted(missing))}")
    return ", ".join(sorted(_EXPECTED))
