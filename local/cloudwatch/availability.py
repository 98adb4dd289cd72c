"""Which metrics the local stack has. AWS services publish many that the emulated ones do not."""

from typing import Final

#: Shown wherever a metric, or an alarm that needs it, has nothing to show for that reason.
AWS_ONLY: Final = "AWS only; not available locally"

#: Metrics that AWS services publish, as far as the local stack publishes them too: `local.emulator.gateway` and
#: `local.emulator.metrics` do.
_EMULATED: Final = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration"},
}


def available_locally(namespace: str, name: str) -> bool:
    """Return whether the local stack can have a metric. Only AWS services publish in the namespaces ``AWS/…``."""
    return not namespace.startswith("AWS/") or name in _EMULATED.get(namespace, ())
