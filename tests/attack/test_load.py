"""Many users at once for a minute: every response is right, and the metrics and the table agree with the users.

Each user enrols, logs in and turns MFA off again and again, and knows the right response to each request.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import pyotp
import pytest

from functions.shared.contract import (
    BACKUP_CODES,
    DISABLE,
    ENDPOINTS,
    METRICS_NAMESPACE,
    SETUP,
    STATUS,
    VERIFY,
    VERIFY_SETUP,
    Endpoint,
    Metric,
    Status,
    metric_dimensions,
)
from local.stack import Stack
from tests.attack.crowd import Crowd
from tests.support.http_user import HttpUser, NewUser
from tests.support.life_cycle import Answer
from tests.support.stack import Api, Aws

#: The emulated AWS starts a process for each concurrent request; the machine has two cores.
_USERS: Final = 8
_SECONDS: Final = 60
_PATIENCE_SECONDS: Final = 30

pytestmark = pytest.mark.e2e


class Statuses:
    """Counts responses by route and status. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[Endpoint, int]] = Counter()
        self._repetitions = 0

    def add(self, route: Endpoint, status: int, *, repetition: bool = False) -> None:
        with self._lock:
            self._counts[route, status] += 1
            self._repetitions += repetition

    def total(self) -> int:
        return self._counts.total()

    def metrics(self) -> dict[str, int]:
        """Return the metrics that the service must have counted for these responses."""
        expected: Counter[str] = Counter({name: 0 for route in ENDPOINTS for name in route.metrics.names()})
        for (route, status), number in self._counts.items():
            counts = route.metrics
            outcome = {
                200: counts.successes,
                400: counts.rejections,
                401: counts.unauthorized,
                409: counts.rejections,
                500: counts.system_errors,
                503: counts.errors,
            }[status]
            expected[outcome] += number
            if status != 401:
                expected[counts.attempts] += number
            if status == 400:
                expected[Metric.INVALID_CODES] += number
        expected[Metric.INVALID_CODES] -= self._repetitions  # refused, but no wrong codes (docs/adr/0006)
        return dict(expected)


class Life:
    """One user, who goes through one life cycle after another and knows the state that is stored."""

    def __init__(self, user: HttpUser, api: Api, statuses: Statuses) -> None:
        self.user = user
        self._api = api
        self._statuses = statuses
        self.state: tuple[Status | None, int] = (None, 0)

    def live_until(self, end: float) -> None:
        """Go through life cycles, and stop in the middle of one."""
        while True:
            for _ in self._one():
                if time.monotonic() > end:
                    return

    def ask(self, route: Endpoint, body: Any = None, *, expect: int, repetition: bool = False) -> Answer:
        answer = self.user.call(route, body)
        self._statuses.add(route, answer.status, repetition=repetition)
        assert answer.status == expect, f"{route.path}: {expect} expected, {answer}"
        return answer

    def _one(self) -> Iterator[None]:
        assert self._api.request(SETUP.method, SETUP.path).status == 401
        self._statuses.add(SETUP, 401)
        self.ask(SETUP, expect=200)
        self.state = (Status.PENDING, 0)
        yield
        secret = self.ask(SETUP, expect=200).body["secret"]  # replaces the first one
        # Valid until the next step ends, so there is no need to wait for a fresh step.
        now = int(time.time())
        this_step, next_step, long_ago = (pyotp.TOTP(secret).at(now + 30 * steps) for steps in (0, 1, -100))
        yield
        codes = self.ask(VERIFY_SETUP, {"code": this_step}, expect=200).body["backupCodes"]
        self.state = (Status.ENABLED, 8)
        yield
        self.ask(SETUP, expect=409)
        yield
        self.ask(VERIFY, {"code": next_step}, expect=200)
        yield
        self.ask(VERIFY, {"code": next_step}, expect=400, repetition=True)
        yield
        assert self.ask(STATUS, expect=200).body["backupCodesRemaining"] == 8
        yield
        for used in range(3):
            self.ask(VERIFY, {"backupCode": codes[used]}, expect=200)
            self.state = (Status.ENABLED, 7 - used)
            yield
        self.ask(VERIFY, {"backupCode": codes[0]}, expect=400)
        yield
        self.ask(BACKUP_CODES, {"code": long_ago}, expect=400)
        yield
        assert self.ask(STATUS, expect=200).body["backupCodesRemaining"] == 5
        yield
        self.ask(DISABLE, {"backupCode": codes[7]}, expect=200)
        self.state = (None, 0)
        yield
        self.ask(VERIFY, {"code": next_step}, expect=409)
        yield

    def check(self) -> None:
        """Compare the stored item and the status that the API returns with the expected state."""
        status, codes = self.state
        item = self.user.item()
        assert item.get("status", {}).get("S") == status
        body = self.user.status()
        assert (body["enabled"], body["backupCodesRemaining"]) == (status is Status.ENABLED, codes)
        if status is Status.ENABLED:
            assert (len(item["backup_codes"]["L"]), len(item["backup_codes_used"]["L"])) == (codes, 8 - codes)


class Counted:
    """The service's metrics since a moment."""

    def __init__(self, aws: Aws, environment: str) -> None:
        self._cloudwatch = aws.client("cloudwatch")
        dimensions = metric_dimensions(environment)
        self._dimensions = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        self._start = time.time() - 3600
        names = [name for route in ENDPOINTS for name in route.metrics.names()]
        self._before = {name: self._total(name) for name in [*names, Metric.INVALID_CODES]}

    def _total(self, name: str) -> int:
        statistics = self._cloudwatch.get_metric_statistics(
            Namespace=METRICS_NAMESPACE,
            MetricName=name,
            Dimensions=self._dimensions,
            StartTime=self._start,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(round(point["Sum"]) for point in statistics["Datapoints"])

    def settled(self, expected: dict[str, int]) -> dict[str, int]:
        """Return the counts once they are as expected or time is up: they come from logs, with a delay."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = {name: self._total(name) - before for name, before in self._before.items()}
            if found == expected or time.monotonic() > deadline:
                return found
            time.sleep(1)


@pytest.mark.attack
def test_under_load_every_response_is_right_and_the_metrics_agree(
    stack: Stack,
    aws: Aws,
    api: Api,
    new_user: NewUser,
    report: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    crowd = Crowd(new_user, size=_USERS)
    crowd.warm_up()
    statuses = Statuses()
    time.sleep(2)  # until the metrics of the warm-up have arrived
    counted = Counted(aws, stack.environment)
    say(f"warm; {_USERS} users for {_SECONDS} s")
    end = time.monotonic() + _SECONDS

    def live(user: HttpUser, _number: int) -> Life:
        life = Life(user, api, statuses)
        life.live_until(end)
        return life

    lives = crowd.run(range(_USERS), live, say)
    say(f"{statuses.total()} requests")
    expected = statuses.metrics()
    assert counted.settled(expected) == expected
    for route in ENDPOINTS:
        attempts, *outcomes, _ = (expected[name] for name in route.metrics.names())
        assert attempts == sum(outcomes) > 0, route
    for life in lives:
        life.check()
    report(
        "Load",
        f"{_USERS} users made {statuses.total()} requests in {_SECONDS} s. Every response was the expected one, every "
        "metric of every route was exactly what the users saw, and the table held what they were shown.",
    )
