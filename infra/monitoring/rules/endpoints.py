"""Alarms of the routes: is it failing, is it dead, is it flooded."""

from collections.abc import Iterator, Sequence

from functions.shared import contract
from functions.shared.contract import Endpoint
from infra.config.monitoring import Thresholds
from infra.monitoring.rules.model import AlarmRule, Missing, Urgency, ratio, total, zero_filled
from infra.monitoring.rules.series import counted


def slug(endpoint: Endpoint) -> str:
    """Return how alarms and headings call a route: its function's name without the environment."""
    return endpoint.function.replace("_", "-")


def endpoint_rules(environment: str, endpoints: Sequence[Endpoint], thresholds: Thresholds) -> Iterator[AlarmRule]:
    """Yield the alarms of every route, then those that only some have."""
    for endpoint in endpoints:
        yield from _failures(environment, endpoint, thresholds)
    yield from _setup(environment, thresholds)
    yield _no_success(
        environment,
        contract.SETUP,
        minimum=thresholds.setups_without_success,
        # A 409 is a right answer: a quarter of an hour of nothing else is no outage.
        attempts="FILL(attempts,0)-FILL(rejections,0)",
        response="Look at the latest failures of setup-mfa, then at KMS and DynamoDB.",
    )
    if contract.VERIFY in endpoints:
        yield _no_success(
            environment,
            contract.VERIFY,
            minimum=thresholds.verifications_without_success,
            # Rejections stay in: were every right code refused, that would be all one sees of it.
            attempts="FILL(attempts,0)",
            response="Nobody can log in: compare wrong codes with errors, and check the last deployment.",
        )
    yield from _unauthorized(environment, endpoints, thresholds)


def _failures(environment: str, endpoint: Endpoint, thresholds: Thresholds) -> Iterator[AlarmRule]:
    metrics, name = endpoint.metrics, slug(endpoint)
    route = f"{endpoint.method} {endpoint.path}"
    yield AlarmRule(
        key=f"{name}-errors",
        happened=f"{route} answered 503 because KMS or DynamoDB refused, throttled or timed out.",
        response="Find the failing call in the latest failures, then check that service's status, quota and the key.",
        series={"errors": counted(metrics.errors, environment)},
        threshold=thresholds.errors,
        missing=Missing.NOT_BREACHING,  # a counter: nothing counted is nothing failed
    )
    yield AlarmRule(
        key=f"{name}-system-errors",
        happened=f"{route} answered 500: something happened that the code does not know.",
        response="Read the logged exception; if it began with a deployment, roll back first.",
        series={"system_errors": counted(metrics.system_errors, environment)},
        threshold=thresholds.system_errors,
        missing=Missing.NOT_BREACHING,  # a counter: nothing counted is nothing failed
    )
    yield AlarmRule(
        key=f"{name}-error-ratio",
        happened=f"More of {route} failed with 500 or 503 than users should bear.",
        response="If it began with a deployment, roll back; else follow the route's errors and system errors.",
        series={
            "attempts": counted(metrics.attempts, environment),
            "errors": counted(metrics.errors, environment),
            "system_errors": counted(metrics.system_errors, environment),
        },
        expression=ratio(
            total(["errors", "system_errors"]), zero_filled("attempts"), thresholds.ratio_minimum_requests
        ),
        threshold=thresholds.error_ratio_percent,
        missing=Missing.NOT_BREACHING,  # no requests, no ratio; the plain counters watch the quiet hours
        urgency=Urgency.PAGE,
    )


def _setup(environment: str, thresholds: Thresholds) -> Iterator[AlarmRule]:
    metrics, name = contract.SETUP.metrics, slug(contract.SETUP)
    yield AlarmRule(
        key=f"{name}-attempts-flood",
        happened="Signed-in callers ask for enrolments far more often than people do.",
        response="Find out whether it is one user (a client in a retry loop) or many, and throttle or block it.",
        series={"attempts": counted(metrics.attempts, environment)},
        threshold=thresholds.setup_attempts,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no flood
    )
    yield AlarmRule(
        key=f"{name}-successes-surge",
        happened="Authenticators are enrolled faster than people enrol them, as with a batch of stolen sessions.",
        response="Ask whether a campaign or migration runs; if not, suspect stolen tokens and look at who enrols.",
        series={"successes": counted(metrics.successes, environment)},
        threshold=thresholds.setup_successes,
        missing=Missing.NOT_BREACHING,  # a counter: too few successes is another alarm's business
    )
    yield AlarmRule(
        key=f"{name}-already-enabled-surge",
        happened="Many setups were refused with 409: a client ignores the status, or somebody probes for accounts.",
        response="Find out which users and client it comes from; a release that skips the status check is likely.",
        series={"already_enabled": counted(metrics.rejections, environment)},
        threshold=thresholds.setup_already_enabled,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no refusal
    )
    yield AlarmRule(
        key=f"{name}-unauthorized-surge",
        happened="Many setups came without a valid token: an attack, or an issuer whose tokens are refused.",
        response="Compare with successes: if those fell, the issuer or its keys are broken; if not, block the source.",
        series={"unauthorized": counted(metrics.unauthorized, environment)},
        threshold=thresholds.setup_unauthorized,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is nobody refused
    )


def _no_success(environment: str, endpoint: Endpoint, *, minimum: int, attempts: str, response: str) -> AlarmRule:
    metrics = endpoint.metrics
    series = {
        "attempts": counted(metrics.attempts, environment),
        "rejections": counted(metrics.rejections, environment),
        "successes": counted(metrics.successes, environment),
    }
    return AlarmRule(
        key=f"{slug(endpoint)}-no-success",
        happened=f"{endpoint.method} {endpoint.path} was called for 15 minutes and not once succeeded.",
        response=response,
        series={name: each for name, each in series.items() if name in attempts or name == "successes"},
        expression=f"IF(({attempts} >= {minimum}) AND (FILL(successes,0) < 1), 1, 0)",
        threshold=1,
        period_minutes=15,
        missing=Missing.NOT_BREACHING,  # no calls at all: nothing is known to be broken
        urgency=Urgency.PAGE,
    )


def _unauthorized(environment: str, endpoints: Sequence[Endpoint], thresholds: Thresholds) -> Iterator[AlarmRule]:
    others = {
        endpoint.function: counted(endpoint.metrics.unauthorized, environment)
        for endpoint in endpoints
        if endpoint is not contract.SETUP
    }
    if others:
        yield AlarmRule(
            key="unauthorized-surge",
            happened="Many requests to the routes other than setup came without a valid token.",
            response="Compare with successes: if those fell, the issuer or its keys are broken; if not, block it.",
            series=others,
            expression=total(others),
            threshold=thresholds.unauthorized,
            missing=Missing.NOT_BREACHING,  # counters: no datapoint is nobody refused
        )
