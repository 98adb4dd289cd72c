"""Alarms of the routes: failures, no success, unusual numbers of requests."""

from collections.abc import Iterator

from functions.shared import contract
from functions.shared.contract import Endpoint
from infra.config.monitoring import Thresholds
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.model import AlarmRule, ratio, total, zero_filled


def slug(endpoint: Endpoint) -> str:
    """Return a route's name in alarms and headings: its function's name without the environment."""
    return endpoint.function.replace("_", "-")


def watched_endpoints(watched: WatchedResources) -> tuple[Endpoint, ...]:
    """Return the routes, one for each function: both public routes have the same metrics, and only one calls KMS."""
    public = (contract.JWKS,) if contract.SIGNING_KEYS_FUNCTION in watched.functions else ()
    return (*contract.ENDPOINTS, *public)


def endpoint_rules(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    """Yield the alarms that every route has, then those of single routes."""
    for endpoint in watched_endpoints(watched):
        yield from _failures(watched, endpoint, thresholds)
    yield from _setup(watched, thresholds)
    yield _no_success(
        watched,
        contract.SETUP,
        minimum=thresholds.setups_without_success,
        # A 409 is a correct response: fifteen minutes with only 409s are not an outage.
        counted=("attempts", "rejections"),
        response="Look at the latest failures of setup-mfa, then at KMS and DynamoDB.",
    )
    yield _no_success(
        watched,
        contract.VERIFY,
        minimum=thresholds.verifications_without_success,
        # Rejections count: if the service refused every correct code, only the rejections would show it.
        counted=("attempts",),
        response="Users cannot log in: compare wrong codes with errors, and check the last deployment.",
    )
    others = {
        endpoint.function: watched.counted(endpoint.metrics.unauthorized)
        for endpoint in contract.ENDPOINTS
        if endpoint is not contract.SETUP
    }
    yield AlarmRule(
        key="unauthorized-surge",
        happened="Many requests to the routes other than setup had no valid token.",
        response="Compare with successes: if they fell, the issuer or its keys are broken; if not, block the source.",
        series=others,
        expression=total(others),
        threshold=thresholds.unauthorized,
    )


def _failures(watched: WatchedResources, endpoint: Endpoint, thresholds: Thresholds) -> Iterator[AlarmRule]:
    metrics, name = endpoint.metrics, slug(endpoint)
    route = f"{endpoint.method} {endpoint.path}"
    yield AlarmRule(
        key=f"{name}-errors",
        happened=f"{route} returned 503 because KMS or DynamoDB refused, throttled or timed out.",
        response="Find the failing call in the latest failures, then check that service's status, quota and the key.",
        series={"errors": watched.counted(metrics.errors)},
        threshold=thresholds.errors,
    )
    yield AlarmRule(
        key=f"{name}-system-errors",
        happened=f"{route} returned 500 because of an unexpected exception.",
        response="Read the logged exception; if it began with a deployment, roll back first.",
        series={"system_errors": watched.counted(metrics.system_errors)},
        threshold=thresholds.system_errors,
    )
    yield AlarmRule(
        key=f"{name}-error-ratio",
        happened=f"Enough requests to {route} failed with 500 or 503 for users to notice.",
        response="If it began with a deployment, roll back; if not, follow the route's errors and system errors.",
        series={
            "attempts": watched.counted(metrics.attempts),
            "errors": watched.counted(metrics.errors),
            "system_errors": watched.counted(metrics.system_errors),
        },
        # Zero for a few requests; the alarms on the counters watch the quiet hours.
        expression=ratio(
            total(["errors", "system_errors"]), zero_filled("attempts"), thresholds.ratio_minimum_requests
        ),
        threshold=thresholds.error_ratio_percent,
        pages=True,
    )


def _setup(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    metrics, name = contract.SETUP.metrics, slug(contract.SETUP)
    yield AlarmRule(
        key=f"{name}-attempts-flood",
        happened="Signed-in callers ask for enrolments far more often than people do.",
        response="Find out whether it is one user (a client in a retry loop) or many, and throttle or block it.",
        series={"attempts": watched.counted(metrics.attempts)},
        threshold=thresholds.setup_attempts,
    )
    yield AlarmRule(
        key=f"{name}-successes-surge",
        happened="Authenticators are enrolled faster than people enrol them, as with a batch of stolen sessions.",
        response="Ask whether a campaign or migration runs; if not, suspect stolen tokens and look at who enrols.",
        series={"successes": watched.counted(metrics.successes)},
        threshold=thresholds.setup_successes,
    )
    yield AlarmRule(
        key=f"{name}-already-enabled-surge",
        happened="Many setups were refused with 409: a client ignores the status, or an attacker probes accounts.",
        response="Find out which users and client it comes from; a release that skips the status check is likely.",
        series={"already_enabled": watched.counted(metrics.rejections)},
        threshold=thresholds.setup_already_enabled,
    )
    yield AlarmRule(
        key=f"{name}-unauthorized-surge",
        happened="Many setups had no valid token: an attack, or an issuer whose tokens are refused.",
        response="Compare with successes: if they fell, the issuer or its keys are broken; if not, block the source.",
        series={"unauthorized": watched.counted(metrics.unauthorized)},
        threshold=thresholds.setup_unauthorized,
    )


def _no_success(
    watched: WatchedResources, endpoint: Endpoint, *, minimum: int, counted: tuple[str, ...], response: str
) -> AlarmRule:
    attempts = "-".join(map(zero_filled, counted))
    return AlarmRule(
        key=f"{slug(endpoint)}-no-success",
        happened=f"{endpoint.method} {endpoint.path} was called for 15 minutes without a single success.",
        response=response,
        series={name: watched.counted(getattr(endpoint.metrics, name)) for name in (*counted, "successes")},
        expression=f"IF(({attempts} >= {minimum}) AND ({zero_filled('successes')} < 1), 1, 0)",
        threshold=1,
        period_minutes=15,
        pages=True,
    )
