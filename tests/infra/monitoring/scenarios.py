"""Traffic that makes each alarm fire, and a normal hour in which no alarm may fire.

Counts are relative to production's thresholds, whose defaults `infra.config.monitoring.Thresholds` gives.
"""

from collections.abc import Callable, Mapping

from functions.shared import contract
from functions.shared.contract import Endpoint, Metric
from functions.shared.errors import ApiError
from infra.monitoring.rules.endpoints import slug
from tests.infra.monitoring.traffic import (
    FORBIDDEN,
    KEY_UNAVAILABLE,
    NOT_SIGNED,
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

FUNCTIONS = (
    *(each.function for each in contract.ENDPOINTS),
    contract.AUTHORIZER_FUNCTION,
    contract.SECURITY_EVENTS_FUNCTION,
    contract.SIGNING_KEYS_FUNCTION,
)


def _requests(times: int, route: Endpoint, error: ApiError | None, *metrics: Metric) -> Scenario:
    return lambda traffic: traffic.requests(times, route, error, *metrics)


def _counts(times: int, metric: Metric) -> Scenario:
    return lambda traffic: traffic.counts(times, metric)


def _each_function(publish: Callable[[Traffic, str], None]) -> list[Scenario]:
    def scenario(folder: str) -> Scenario:
        return lambda traffic: publish(traffic, folder)

    return [scenario(folder) for folder in FUNCTIONS]


def _repeated(periods: int, publish: Scenario) -> Scenario:
    """Publish the same in each of the last periods."""

    def scenario(traffic: Traffic) -> None:
        last = traffic.now
        for age in range(periods):
            traffic.now = last - age * PERIOD
            publish(traffic)
        traffic.now = last

    return scenario


def _a_period_ago(publish: Scenario) -> Scenario:
    """Publish in the last period but one."""

    def scenario(traffic: Traffic) -> None:
        traffic.now -= PERIOD
        publish(traffic)
        traffic.now += PERIOD

    return scenario


def _both(*scenarios: Scenario) -> Scenario:
    def scenario(traffic: Traffic) -> None:
        for each in scenarios:
            each(traffic)

    return scenario


def _endpoint_scenarios(route: Endpoint) -> dict[str, list[Scenario]]:
    return {
        f"{slug(route)}-errors": [_requests(5, route, UNAVAILABLE)],
        f"{slug(route)}-system-errors": [_requests(1, route, UNEXPECTED)],
        f"{slug(route)}-error-ratio": [
            _both(_requests(38, route, OK), _requests(2, route, UNAVAILABLE)),
            _both(_requests(38, route, OK), _requests(2, route, UNEXPECTED)),
            # Everything fails: with a guard on the successes, the alarm would be silent.
            _requests(20, route, UNAVAILABLE),
        ],
    }


#: At least one scenario for each alarm; for a sum, one for each of its terms.
FIRE: Mapping[str, list[Scenario]] = {
    **{
        key: found
        for route in (*contract.ENDPOINTS, contract.JWKS)
        for key, found in _endpoint_scenarios(route).items()
    },
    "setup-mfa-attempts-flood": [_requests(500, contract.SETUP, REJECTED)],
    "setup-mfa-successes-surge": [_requests(300, contract.SETUP, OK)],
    "setup-mfa-already-enabled-surge": [_requests(100, contract.SETUP, REJECTED)],
    "setup-mfa-unauthorized-surge": [_requests(100, contract.SETUP, UNAUTHORIZED)],
    "setup-mfa-no-success": [_requests(5, contract.SETUP, UNAVAILABLE), _requests(5, contract.SETUP, UNEXPECTED)],
    "verify-mfa-no-success": [_requests(30, contract.VERIFY, REJECTED), _requests(30, contract.VERIFY, UNAVAILABLE)],
    "unauthorized-surge": [
        _requests(200, route, UNAUTHORIZED) for route in contract.ENDPOINTS if route is not contract.SETUP
    ],
    "invalid-codes-surge": [_requests(100, contract.VERIFY, REJECTED, Metric.INVALID_CODES)],
    "replays-surge": [_requests(10, contract.VERIFY, REJECTED, Metric.REPLAYS_REJECTED)],
    "lockouts-surge": [_requests(10, contract.DISABLE, REJECTED, Metric.LOCKOUTS)],
    "backup-codes-surge": [_requests(20, contract.VERIFY, OK, Metric.BACKUP_CODES_USED)],
    "conflicts-surge": [_requests(50, contract.VERIFY, REJECTED, Metric.CONFLICTS)],
    "insufficient-scope-surge": [_requests(50, contract.SETUP, FORBIDDEN)],
    "jwks-fetch-failures": [_repeated(2, _counts(3, Metric.JWKS_FETCH_FAILURES))],
    "secret-key-unusable": [
        _requests(5, contract.SETUP, KEY_UNAVAILABLE),
        _both(
            _requests(5, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS),
            _requests(5, contract.VERIFY, KEY_UNAVAILABLE, Metric.SECRET_DECRYPTIONS),
        ),
    ],
    "secret-decrypted-outside-the-api": [
        _a_period_ago(lambda traffic: traffic.key_used("Decrypt", 10)),
        _a_period_ago(
            _both(
                _requests(40, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS),
                lambda traffic: traffic.key_used("Decrypt", 50),
            )
        ),
    ],
    "proof-key-unusable": [
        _both(
            _requests(5, contract.VERIFY, OK, Metric.PROOF_SIGNATURES),
            _requests(5, contract.VERIFY, NOT_SIGNED, Metric.PROOF_SIGNATURES),
        ),
    ],
    "proof-signed-outside-the-api": [
        _a_period_ago(lambda traffic: traffic.proof_key_used(0, 10)),
        _a_period_ago(lambda traffic: traffic.proof_key_used(1, 10)),
        _a_period_ago(
            _both(
                _requests(40, contract.VERIFY, OK, Metric.PROOF_SIGNATURES),
                lambda traffic: traffic.proof_key_used(0, 50),
            )
        ),
    ],
    "record-tampered": [_counts(1, Metric.RECORDS_TAMPERED)],
    "secret-in-logs": _each_function(
        lambda traffic, folder: traffic.masked(folder, 1, DataProtectionOperation="Audit")
    ),
    "secret-in-logs-by-group": _each_function(lambda traffic, folder: traffic.masked(folder, 1)),
    "api-5xx-ratio": [lambda traffic: traffic.gateway(requests=50, failed=1)],
    "api-4xx-ratio": [_repeated(3, lambda traffic: traffic.gateway(requests=40, refused=20))],
    "api-latency-p99": [_repeated(3, lambda traffic: traffic.gateway(requests=1, latency_ms=3000))],
    "no-traffic": [lambda _: None],
    "function-errors": _each_function(lambda traffic, folder: traffic.function(folder, Errors=1)),
    "function-throttles": _each_function(lambda traffic, folder: traffic.function(folder, Throttles=1)),
    "function-duration": _each_function(lambda traffic, folder: traffic.function(folder, Duration=16_000)),
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
    """Publish five minutes of an ordinary day: a few hundred requests, some mistakes and one brief failure."""
    traffic.requests(36, contract.SETUP, OK)
    traffic.requests(4, contract.SETUP, REJECTED)
    traffic.requests(3, contract.SETUP, UNAUTHORIZED)
    traffic.requests(30, contract.VERIFY_SETUP, OK, Metric.SECRET_DECRYPTIONS)
    traffic.requests(3, contract.VERIFY_SETUP, REJECTED, Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES)
    traffic.requests(80, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS)
    traffic.requests(2, contract.VERIFY, OK, Metric.SECRET_DECRYPTIONS, Metric.BACKUP_CODES_USED)
    traffic.requests(12, contract.VERIFY, REJECTED, Metric.SECRET_DECRYPTIONS, Metric.INVALID_CODES)
    traffic.requests(1, contract.VERIFY, REJECTED, Metric.INVALID_CODES, Metric.REPLAYS_REJECTED)
    traffic.requests(1, contract.VERIFY, REJECTED, Metric.INVALID_CODES, Metric.LOCKOUTS)
    traffic.requests(2, contract.VERIFY, REJECTED, Metric.LOCKED_ATTEMPTS)
    traffic.requests(1, contract.VERIFY, REJECTED, Metric.CONFLICTS)
    traffic.requests(1, contract.VERIFY, KEY_UNAVAILABLE, Metric.SECRET_DECRYPTIONS)
    traffic.requests(1, contract.VERIFY, NOT_SIGNED, Metric.SECRET_DECRYPTIONS, Metric.PROOF_SIGNATURES)
    traffic.counts(112, Metric.PROOF_SIGNATURES)
    traffic.proof_key_used(0, 112)
    traffic.requests(20, contract.JWKS, OK)
    traffic.requests(5, contract.VERIFY, UNAUTHORIZED)
    traffic.requests(3, contract.DISABLE, OK, Metric.SECRET_DECRYPTIONS)
    traffic.requests(2, contract.BACKUP_CODES, OK, Metric.SECRET_DECRYPTIONS)
    traffic.requests(60, contract.STATUS, OK)
    traffic.requests(1, contract.STATUS, FORBIDDEN)
    traffic.counts(1, Metric.JWKS_FETCH_FAILURES)
    traffic.counts(40, Metric.SECURITY_EVENTS_PUBLISHED)
    traffic.counts(1, Metric.SECURITY_EVENT_FAILURES)
    traffic.key_used("GenerateDataKey", 36)
    traffic.key_used("Decrypt", 133)
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
