"""For every alarm, what makes it fire; and an hour in which none may.

Counts are relative to production's thresholds, whose defaults `infra.config.monitoring.Thresholds` gives.
"""

from collections.abc import Callable, Mapping

from functions.shared import contract
from functions.shared.contract import Endpoint, Metric
from infra.monitoring.rules.endpoints import slug
from tests.infra.monitoring.templates import resources
from tests.infra.monitoring.traffic import (
    FORBIDDEN,
    KEY_UNAVAILABLE,
    OK,
    REJECTED,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNEXPECTED,
    Traffic,
)

PERIOD = 300
HOUR = 3600

type Scenario = Callable[[Traffic], None]

FUNCTIONS = tuple(each.folder for each in resources("prod").functions)


def _answers(times: int, route: Endpoint, error: object, *metrics: Metric) -> Scenario:
    return lambda traffic: traffic.answers(times, route, error, *metrics)  # type: ignore[arg-type]


def _counts(times: int, metric: Metric) -> Scenario:
    return lambda traffic: traffic.counts(times, metric)


def _twice(publish: Scenario) -> Scenario:
    return _repeated(2, publish)


def _repeated(periods: int, publish: Scenario) -> Scenario:
    """Publish the same in each of the last periods."""

    def scenario(traffic: Traffic) -> None:
        last = traffic.now
        for age in range(periods):
            traffic.now = last - age * PERIOD
            publish(traffic)
        traffic.now = last

    return scenario


def _both(*scenarios: Scenario) -> Scenario:
    def scenario(traffic: Traffic) -> None:
        for each in scenarios:
            each(traffic)

    return scenario


def _endpoint_scenarios(route: Endpoint) -> dict[str, list[Scenario]]:
    return {
        f"{slug(route)}-errors": [_answers(5, route, UNAVAILABLE)],
        f"{slug(route)}-system-errors": [_answers(1, route, UNEXPECTED)],
        f"{slug(route)}-error-ratio": [
            _both(_answers(38, route, OK), _answers(2, route, UNAVAILABLE)),
            _both(_answers(38, route, OK), _answers(2, route, UNEXPECTED)),
            # Everything fails: a guard on the successes would fall silent just now.
            _answers(20, route, UNAVAILABLE),
        ],
    }


#: At least one for each alarm; for a sum, one for each of its parts alone.
FIRE: Mapping[str, list[Scenario]] = {
    **{key: found for route in contract.ENDPOINTS for key, found in _endpoint_scenarios(route).items()},
    "setup-mfa-attempts-flood": [_answers(500, contract.SETUP, REJECTED)],
    "setup-mfa-successes-surge": [_answers(300, contract.SETUP, OK)],
    "setup-mfa-already-enabled-surge": [_answers(100, contract.SETUP, REJECTED)],
    "setup-mfa-unauthorized-surge": [_answers(100, contract.SETUP, UNAUTHORIZED)],
    "setup-mfa-no-success": [_answers(5, contract.SETUP, UNAVAILABLE), _answers(5, contract.SETUP, UNEXPECTED)],
    "verify-mfa-no-success": [_answers(30, contract.VERIFY, REJECTED), _answers(30, contract.VERIFY, UNAVAILABLE)],
    "unauthorized-surge": [
        _answers(200, route, UNAUTHORIZED) for route in contract.ENDPOINTS if route is not contract.SETUP
    ],
    "invalid-codes-surge": [_answers(100, contract.VERIFY, REJECTED, Metric.INVALID_CODES)],
    "replays-surge": [_answers(10, contract.VERIFY, REJECTED, Metric.REPLAYS_REJECTED)],
    "lockouts-surge": [_answers(10, contract.DISABLE, REJECTED, Metric.LOCKOUTS)],
    "backup-codes-surge": [_answers(20, contract.VERIFY, OK, Metric.BACKUP_CODES_USED)],
    "conflicts-surge": [_answers(50, contract.VERIFY, REJECTED, Metric.CONFLICTS)],
    "insufficient-scope-surge": [_answers(50, contract.SETUP, FORBIDDEN)],
    "jwks-fetch-failures": [_twice(_counts(3, Metric.JWKS_FETCH_FAILURES))],
    "secret-key-unusable": [
        _answers(5, contract.SETUP, KEY_UNAVAILABLE),
        _both(
            _answers(5, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS),
            _answers(5, contract.VERIFY, KEY_UNAVAILABLE, Metric.SECRET_DECRYPTIONS),
        ),
    ],
    "secret-decrypted-outside-the-api": [
        lambda traffic: traffic.key_used("Decrypt", 10),
        _both(
            _answers(40, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS),
            lambda traffic: traffic.key_used("Decrypt", 50),
        ),
    ],
    "secret-in-logs": [lambda traffic, folder=folder: traffic.masked(folder, 1) for folder in FUNCTIONS],  # type: ignore[misc]
    "api-5xx-ratio": [lambda traffic: traffic.gateway(requests=50, failed=1)],
    "api-4xx-ratio": [_repeated(3, lambda traffic: traffic.gateway(requests=40, refused=20))],
    "api-latency-p99": [_repeated(3, lambda traffic: traffic.gateway(requests=1, latency_ms=3000))],
    "no-traffic": [lambda _: None],
    "function-errors": [lambda traffic, folder=folder: traffic.function(folder, Errors=1) for folder in FUNCTIONS],  # type: ignore[misc]
    "function-throttles": [
        lambda traffic, folder=folder: traffic.function(folder, Throttles=1)  # type: ignore[misc]
        for folder in FUNCTIONS
    ],
    "function-duration": [
        lambda traffic, folder=folder: traffic.function(folder, Duration=16_000)  # type: ignore[misc]
        for folder in FUNCTIONS
    ],
    "account-concurrency": [lambda traffic: traffic.account(ClaimedAccountConcurrency=800)],
    "table-throttles": [
        lambda traffic: traffic.table(ReadThrottleEvents=5),
        lambda traffic: traffic.table(WriteThrottleEvents=5),
    ],
    "table-system-errors": [
        lambda traffic, operation=operation: traffic.table(operation, SystemErrors=5)  # type: ignore[misc]
        for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
    ],
    "security-event-failures": [_counts(3, Metric.SECURITY_EVENT_FAILURES)],
    "security-events-delay": [
        lambda traffic: traffic.function(contract.SECURITY_EVENTS_FUNCTION, IteratorAge=10 * 60_000)
    ],
    "security-events-dead-letter": [lambda traffic: traffic.dead_letters(1)],
}


def normal_five_minutes(traffic: Traffic) -> None:
    """Publish five minutes of an ordinary day: some hundred requests, mistakes and one hiccup among them."""
    traffic.answers(36, contract.SETUP, OK)
    traffic.answers(4, contract.SETUP, REJECTED)
    traffic.answers(3, contract.SETUP, UNAUTHORIZED)
    traffic.answers(30, contract.VERIFY_SETUP, OK, Metric.SECRET_DECRYPTIONS)
    traffic.answers(3, contract.VERIFY_SETUP, REJECTED, Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES)
    traffic.answers(80, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS)
    traffic.answers(2, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS, Metric.BACKUP_CODES_USED)
    traffic.answers(12, contract.VERIFY, REJECTED, Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES)
    traffic.answers(1, contract.VERIFY, REJECTED, Metric.INVALID_CODES, Metric.REPLAYS_REJECTED)
    traffic.answers(1, contract.VERIFY, REJECTED, Metric.INVALID_CODES, Metric.LOCKOUTS)
    traffic.answers(2, contract.VERIFY, REJECTED, Metric.LOCKED_ATTEMPTS)
    traffic.answers(1, contract.VERIFY, REJECTED, Metric.CONFLICTS)
    traffic.answers(1, contract.VERIFY, KEY_UNAVAILABLE, Metric.SECRET_DECRYPTIONS)
    traffic.answers(5, contract.VERIFY, UNAUTHORIZED)
    traffic.answers(3, contract.DISABLE, OK, Metric.SECRET_DECRYPTIONS)
    traffic.answers(2, contract.BACKUP_CODES, OK, Metric.SECRET_DECRYPTIONS)
    traffic.answers(60, contract.STATUS, OK)
    traffic.answers(1, contract.STATUS, FORBIDDEN)
    traffic.counts(1, Metric.JWKS_FETCH_FAILURES)
    traffic.counts(40, Metric.SECURITY_EVENTS_PUBLISHED)
    traffic.counts(1, Metric.SECURITY_EVENT_FAILURES)
    traffic.key_used("GenerateDataKey", 36)
    traffic.key_used("Decrypt", 132)
    traffic.gateway(requests=247, refused=36, failed=1)
    for latency in (35, 40, 45, 60, 90, 900):
        traffic.gateway(latency_ms=latency)
    for folder in FUNCTIONS:
        traffic.function(folder, Invocations=40, Errors=0, Throttles=0, Duration=900)
    traffic.function(contract.SECURITY_EVENTS_FUNCTION, IteratorAge=2000)
    traffic.account(ClaimedAccountConcurrency=12)
    traffic.table(ReadThrottleEvents=0, WriteThrottleEvents=1)
    traffic.table("UpdateItem", SystemErrors=1)
    traffic.dead_letters(0)
