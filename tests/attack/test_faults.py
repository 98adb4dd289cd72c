"""AWS fails: each call of each route, in each way, once and for good. Whatever happens, nothing is let through.

What the API promises for it (docs/api.md): a 503 with ``Retry-After`` in good time, nothing changed, no attempt
counted. One thing can happen besides: a write succeeds, and what is lost is the answer.
"""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import pytest

from functions.shared.contract import ENDPOINTS, RETRY_AFTER_SECONDS, VERIFY, VERIFY_SETUP, ErrorCode, Metric
from local.stack import Stack
from tests.attack.crowd import LARGE, Crowd
from tests.attack.fault_proxy import FAULTS, Fault, FaultProxy, between
from tests.attack.function_logs import RequestLog, request_logs
from tests.attack.scenarios import SCENARIOS, SWAP, Scenario, failures, promised_failures
from tests.support.http_user import HttpUser
from tests.support.life_cycle import Answer
from tests.support.stack import Aws

type NewUser = Callable[[str], HttpUser]

#: API Gateway gives up after 29 s; the functions' own timeout is shorter and asked of the stack.
GATEWAY_SECONDS: Final = 29
#: DynamoDB and KMS are asked at most twice for one answer.
ONCE: Final = 1

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Trial:
    """A fault of one call of a request; ``times`` is None for a fault that stays."""

    scenario: Scenario
    call: str
    fault: Fault
    times: int | None

    def __str__(self) -> str:
        return f"{self.scenario.name}, {self.call} {self.fault.name} {'for good' if self.times is None else 'once'}"


@dataclass(frozen=True)
class Seen:
    """What came of a trial.

    Attributes
    ----------
    changed : bool
        Whether the stored item is another than before.
    failures : tuple of int
        The attempts counted, of TOTP codes and of backup codes.
    """

    trial: Trial
    answer: Answer
    seconds: float
    changed: bool
    failures: tuple[int, int]

    def __str__(self) -> str:
        return str(self.answer.status) + (", done" if self.answer.status == 503 and self.changed else "")


def trials(scenarios: Iterable[Scenario]) -> list[Trial]:
    """Return every fault, once and for good, on every call of each scenario."""
    return [
        Trial(scenario, call, fault, times)
        for times in (None, ONCE)  # those that take longest come first
        for scenario in scenarios
        for call in scenario.calls
        for fault in FAULTS
    ]


def attempt(proxy: FaultProxy) -> Callable[[HttpUser, Trial], Seen]:
    """Return a function that tries a fault, and checks what holds for each alone."""

    def tried(user: HttpUser, trial: Trial) -> Seen:
        scenario = trial.scenario
        scenario.prepare(user)
        before = user.item()
        began = time.monotonic()
        with proxy.failing(trial.fault, (trial.call,), user.user_id, times=trial.times):
            answer = scenario.act(user)
            assert answer.status in {scenario.status, 503}, answer
        seconds = time.monotonic() - began
        after = user.item()
        seen = Seen(trial, answer, seconds, before != after, failures(after))
        _check(seen)
        scenario.recover(user, seen.changed)
        return seen

    return tried


def _check(seen: Seen) -> None:
    trial, answer = seen.trial, seen.answer
    scenario = trial.scenario
    lost_write = trial.fault.happens and scenario.writes and trial.call == scenario.calls[-1]
    if trial.times == ONCE or not trial.fault.fails:
        # The AWS client's second attempt carries the request; a write that it finds done already is its own.
        assert answer.status == scenario.status, answer
    elif not lost_write:
        assert answer.status == 503, answer
    if answer.status == scenario.status:
        assert seen.changed == scenario.writes, "answered as if done"
    else:
        assert (answer.status, answer.error) == (503, ErrorCode.SERVICE_UNAVAILABLE), answer
        assert answer.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)
        assert lost_write or not seen.changed, "503, and yet the record is another"
    assert seen.failures == promised_failures(scenario, seen.changed), "attempts counted"


def check_logs(aws: Aws, stack: Stack, seen: list[Seen], since: int) -> None:
    """Check what operators see of each request: its metrics, the call that failed, and the time that it took."""
    functions = {each.trial.scenario.route.function for each in seen}
    logs: dict[str, RequestLog] = {}
    for function in functions:
        logs |= request_logs(aws, stack.functions[function], environment=stack.environment, since=since)
    for each in seen:
        trial, metrics = each.trial, each.trial.scenario.route.metrics
        log = logs[each.answer.headers["x-amzn-requestid"]]
        outcome = {200: metrics.successes, 400: metrics.rejections, 503: metrics.errors}[each.answer.status]
        outcomes = {metrics.successes, metrics.rejections, metrics.errors, metrics.system_errors}
        assert log.metrics[metrics.attempts] == 1, trial
        assert {name: log.metrics[name] for name in outcomes & set(log.metrics)} == {outcome: 1}, trial
        if each.answer.status == 503:
            assert log.fields["operation"] == trial.call, trial
            assert (Metric.KEY_FAILURES in log.metrics) == trial.call.startswith("kms:"), trial
            assert Metric.INVALID_CODES not in log.metrics, trial


def timeout_of(aws: Aws, stack: Stack, function: str) -> int:
    """Return the seconds after which Lambda stops a function."""
    seconds: int = aws.client("lambda").get_function_configuration(FunctionName=stack.functions[function])["Timeout"]
    return seconds


def as_table(seen: list[Seen], times: int | None) -> str:
    """Return a table of what was answered: the calls down, the faults across."""
    cells = {
        (each.trial.scenario.name, each.trial.call, each.trial.fault.name): str(each)
        for each in seen
        if each.trial.times == times
    }
    lines = [
        "| Request | Call | " + " | ".join(fault.name for fault in FAULTS) + " |",
        "|---" * (len(FAULTS) + 2) + "|",
    ]
    for (name, call), _ in itertools.groupby(cells, key=lambda cell: cell[:2]):
        row = " | ".join(cells[name, call, fault.name] for fault in FAULTS)
        lines.append(f"| {name} | `{call}` | {row} |")
    return "\n".join(lines)


def slowest(seen: list[Seen], fault: Fault, times: int | None) -> str:
    """Return the longest time that a fault took its caller."""
    return f"{max(each.seconds for each in seen if (each.trial.fault, each.trial.times) == (fault, times)):.1f} s"


def test_each_kind_of_fault_is_answered_in_time_and_changes_nothing(
    stack: Stack, aws: Aws, new_user: NewUser, say: Callable[[str], None]
) -> None:
    began = int(time.time() * 1000)
    (verify,) = (scenario for scenario in SCENARIOS if scenario.name == "verify")
    with between(aws, stack.endpoint_url, [stack.functions[VERIFY.function]]) as proxy:
        crowd = Crowd(new_user, size=4)
        crowd.warm_up([VERIFY_SETUP, VERIFY])
        wanted = [each for each in trials([verify]) if each.times is None or each.call == SWAP]
        seen = crowd.run(wanted, attempt(proxy), say)
    check_logs(aws, stack, seen, began)
    assert max(each.seconds for each in seen) < timeout_of(aws, stack, VERIFY.function)


def test_a_request_whose_every_call_hangs_once_ends_within_the_time_of_its_function(
    stack: Stack, aws: Aws, new_user: NewUser
) -> None:
    hanging = next(fault for fault in FAULTS if fault.name == "hanging")
    user = new_user("patient@example.com")
    user.fresh_time_step()
    user.enrol()
    with between(aws, stack.endpoint_url, [stack.functions[VERIFY.function]]) as proxy:
        user.verify()  # the first request of a process takes long where the machine is busy
        began = time.monotonic()
        with proxy.failing(hanging, ("dynamodb:GetItem", "kms:Decrypt", SWAP), user.user_id, times=ONCE):
            assert user.verify(user.code(steps=1)).status == 200
        assert time.monotonic() - began < timeout_of(aws, stack, VERIFY.function)


@pytest.mark.attack
def test_every_fault_on_every_call_of_every_route(
    stack: Stack,
    aws: Aws,
    new_user: NewUser,
    report: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    began = int(time.time() * 1000)
    with between(aws, stack.endpoint_url, [stack.functions[route.function] for route in ENDPOINTS]) as proxy:
        crowd = Crowd(new_user, size=LARGE)
        crowd.warm_up()
        seen = crowd.run(trials(SCENARIOS), attempt(proxy), say)
    check_logs(aws, stack, seen, began)
    limit = min(timeout_of(aws, stack, route.function) for route in ENDPOINTS)
    assert max(each.seconds for each in seen) < limit < GATEWAY_SECONDS
    unanswered = [each for each in seen if each.answer.status == 503]
    report(
        "Faults of DynamoDB and KMS",
        f"""
A proxy between the deployed functions and AWS failed each call of each route in {len(FAULTS)} ways, for good and once:
{len(seen)} requests, of which {len(unanswered)} were answered 503. Each was checked for its status, `Retry-After`,
the metric counted, the call that the log names, the stored item, the attempt counters, and for what its user does next.

**For good.** `503`: nothing changed. `503, done`: the write succeeded and its answer was lost; the user's next step
works all the same.

{as_table(seen, None)}

**Once.** The AWS client's second attempt carries the request, and knows a write of its own when it meets it.

{as_table(seen, ONCE)}

Seen by the caller, the slowest of each kind; the functions end after {limit} s, API Gateway waits {GATEWAY_SECONDS} s.

| Fault | | for good | once |
|---|---|---|---|
"""
        + "\n".join(
            f"| {fault.name} | {fault.what} | {slowest(seen, fault, None)} | {slowest(seen, fault, ONCE)} |"
            for fault in FAULTS
        ),
    )
