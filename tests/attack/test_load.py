"""Many users at once, for a minute: every answer is as it must be, and at the end everything adds up.

Each user lives through second factors, one after the other, and knows what each request must lead to, whatever the
others do. What the service counted must then be what the users did, and what is stored what they were told.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
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
from local.stack import Place, Stack
from tests.support.http_user import HttpUser
from tests.support.life_cycle import Answer
from tests.support.processes import in_session
from tests.support.stack import Api, Aws

#: The embedded AWS starts a process for each request under way; the machine has two cores.
_USERS: Final = 8
#: One for each request under way to each route and to the authorizer; the emulator, the console, the event stream's.
_MOST_PROCESSES: Final = _USERS * (len(ENDPOINTS) + 1) + 3
_SECONDS: Final = 60
_PATIENCE_SECONDS: Final = 30
_PERCENTILES: Final = (50, 95, 99)

pytestmark = pytest.mark.e2e


class Times:
    """How long answers took, by route, and how many there were of each status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        self.statuses: Counter[tuple[str, int]] = Counter()

    def add(self, route: Endpoint, status: int, seconds: float) -> None:
        with self._lock:
            self.seconds[f"{route.method} {route.path}"].append(seconds)
            self.statuses[route.function, status] += 1

    def of(self, route: Endpoint, *statuses: int) -> int:
        """Return how many answers of a route had a status; of any, without one."""
        return sum(
            count
            for (function, status), count in self.statuses.items()
            if function == route.function and (not statuses or status in statuses)
        )

    def table(self) -> list[str]:
        rows = ["| Route | Requests | p50, ms | p95 | p99 | longest |", "|---|---|---|---|---|---|"]
        for route, seconds in sorted(self.seconds.items()):
            points = [*np.percentile(seconds, _PERCENTILES), max(seconds)]
            rows.append(f"| {route} | {len(seconds)} | {' | '.join(f'{1000 * point:.0f}' for point in points)} |")
        return rows


class Life:
    """One user's second factors: what was asked, and what is stored of it now."""

    def __init__(self, user: HttpUser, api: Api, times: Times) -> None:
        self.user = user
        self._api = api
        self._times = times
        self.state: tuple[Status | None, int] = (None, 0)

    def live_until(self, end: float) -> None:
        """Go through one second factor after the other, and stop in the middle of one."""
        while True:
            for _ in self._one():
                if time.monotonic() > end:
                    return

    def ask(self, route: Endpoint, body: Any = None, *, expect: int) -> Answer:
        began = time.monotonic()
        answer = self.user.call(route, body)
        self._times.add(route, answer.status, time.monotonic() - began)
        assert answer.status == expect, f"{route.path}: {expect} expected, {answer}"
        return answer

    def _one(self) -> Iterator[None]:
        self._ask_as_nobody()
        self.ask(SETUP, expect=200)
        self.state = (Status.PENDING, 0)
        yield
        secret = self.ask(SETUP, expect=200).body["secret"]  # the first one is forgotten
        # Good until the step after this one ends: no wait for a fresh one.
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
        self.ask(VERIFY, {"code": next_step}, expect=400)
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

    def _ask_as_nobody(self) -> None:
        began = time.monotonic()
        answer = self._api.request(SETUP.method, SETUP.path)
        self._times.add(SETUP, answer.status, time.monotonic() - began)
        assert answer.status == 401, answer

    def check(self) -> None:
        """Compare what is stored, and what the service says of it, with what this user knows."""
        status, codes = self.state
        item = self.user.item()
        assert item.get("status", {}).get("S") == status
        told = self.user.status()
        assert (told["enabled"], told["backupCodesRemaining"]) == (status is Status.ENABLED, codes)
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
        answer = self._cloudwatch.get_metric_statistics(
            Namespace=METRICS_NAMESPACE,
            MetricName=name,
            Dimensions=self._dimensions,
            StartTime=self._start,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(round(point["Sum"]) for point in answer["Datapoints"])

    def now(self) -> dict[str, int]:
        return {name: self._total(name) - before for name, before in self._before.items()}


def seen_by_users(times: Times) -> dict[str, int]:
    """Return what the metrics must be by the answers."""
    expected: dict[str, int] = {}
    for route in ENDPOINTS:
        counts = route.metrics
        expected[counts.attempts] = times.of(route) - times.of(route, 401)
        expected[counts.successes] = times.of(route, 200)
        expected[counts.rejections] = times.of(route, 400, 409)
        expected[counts.errors] = times.of(route, 503)
        expected[counts.system_errors] = times.of(route, 500)
        expected[counts.unauthorized] = times.of(route, 401)
    return {**expected, Metric.INVALID_CODES: sum(times.of(route, 400) for route in ENDPOINTS)}


def settled(counted: Counted, expected: dict[str, int]) -> dict[str, int]:
    """Return what was counted, once they are as expected or time is up: they come from the logs."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := counted.now()) != expected and time.monotonic() < deadline:
        time.sleep(1)
    return found


def warm_up(users: list[HttpUser], pool: ThreadPoolExecutor) -> None:
    """Let the processes start that so many requests at a time need."""
    for route in ENDPOINTS:
        for _ in range(2):
            for answer in [pool.submit(user.call, route, {"code": "000000"}) for user in users]:
                answer.result()


@pytest.mark.attack
def test_under_load_every_answer_is_right_and_everything_adds_up(
    stack: Stack,
    stack_place: Place,
    aws: Aws,
    api: Api,
    new_user: Callable[[str], HttpUser],
    report: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    users = [new_user(f"load-{number}@example.com") for number in range(_USERS)]
    times = Times()
    lives = [Life(user, api, times) for user in users]
    emulator = int(stack_place.lock.read_text())
    with ThreadPoolExecutor(_USERS) as pool:
        warm_up(users, pool)
        for user in users:
            user.forget()
        time.sleep(2)  # what the warm-up counted is on its way
        counted = Counted(aws, stack.environment)
        processes = in_session(emulator)
        say(f"warm, with {len(processes)} processes; {_USERS} users for {_SECONDS} s")
        began = time.monotonic()
        for lived in [pool.submit(life.live_until, began + _SECONDS) for life in lives]:
            lived.result()
    seconds = time.monotonic() - began
    total = times.statuses.total()
    say(f"{total} requests, {total / seconds:.0f} a second")
    expected = seen_by_users(times)
    found = settled(counted, expected)
    left = in_session(emulator)
    intro = (
        f"{_USERS} users at once for {seconds:.0f} s: {total} requests, {total / seconds:.0f} a second, each answered "
        "as its user expected. What the service counted is what the users saw; what is stored is what they were told; "
        f"{len(processes)} processes ran before and {len(left)} after. The time of a request is as its caller sees it."
    )
    metrics = ["| Metric of setup | Counted | Seen by the users |", "|---|---|---|"]
    metrics += [f"| `{name}` | {found[name]} | {expected[name]} |" for name in SETUP.metrics.names()]
    report("Load: everything adds up", "\n".join([intro, "", *times.table(), "", *metrics]))
    assert found == expected
    for route in ENDPOINTS:
        attempts, *outcomes, _ = (found[name] for name in route.metrics.names())
        assert attempts == sum(outcomes) > 0, route
    for life in lives:
        life.check()
    assert len(left) <= max(len(processes), _MOST_PROCESSES)
