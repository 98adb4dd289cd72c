"""Which metrics the local stack has. AWS services publish many that the emulated ones do not."""

from typing import Final

#: Shown in place of a metric, or of an alarm that needs it, that the local stack does not have.
AWS_ONLY: Final = "AWS only; not available locally"

#: The metrics of AWS services that the local stack publishes too, in `local.emulator.gateway` and
#: `local.emulator.metrics`.
_EMULATED: Final = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration"},
}


def available_locally(namespace: str, name: str) -> bool:
    """Return whether the local stack can have a metric. Only AWS services publish in the namespaces ``AWS/…``."""
    return not namespace.startswith("AWS/") or name in _EMULATED.get(namespace, ())
