"""Each AWS call of each route fails in each way, or its worker dies, and no code is accepted unchecked.

The API promises (docs/api.md) a 503 with ``Retry-After`` in time, nothing changed and no attempt counted. There is one
exception: a write can succeed although its response is lost. A killed worker sends no response and retries nothing.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

import pytest

from functions.shared.contract import (
    ENDPOINTS,
    RETRY_AFTER_SECONDS,
    SETUP,
    VERIFY,
    VERIFY_SETUP,
    ErrorCode,
    Metric,
    Status,
)
from functions.shared.record import record_from_item
from local.stack import Stack
from tests.attack.crowd import LARGE, Crowd
from tests.attack.fault_proxy import FAULTS, Fault, FaultProxy, Moment, between
from tests.attack.function_logs import RequestLog, request_logs
from tests.attack.scenarios import SCENARIOS, SWAP, Scenario, failures, promised_failures
from tests.support.http_user import HttpUser, NewUser
from tests.support.life_cycle import Answer
from tests.support.stack import Aws

#: API Gateway's own timeout; that of the functions is shorter.
GATEWAY_SECONDS: Final = 29
#: The AWS clients try each call at most twice.
ONCE: Final = 1

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Trial:
    """A fault of one AWS call of a request, or the kill of its worker; ``times`` is None for a permanent fault."""

    scenario: Scenario
    call: str
    fault: Fault | Moment
    times: int | None = ONCE

    def __str__(self) -> str:
        fault = f"killed {self.fault.value}" if isinstance(self.fault, Moment) else self.fault.name
        return f"{self.scenario.name}, {self.call}, {fault}, {'permanently' if self.times is None else 'once'}"

    def injected(self, proxy: FaultProxy, user: HttpUser) -> AbstractContextManager[None]:
        """Return the context in which the user's request meets the fault."""
        if isinstance(self.fault, Moment):
            return proxy.killing(self.fault, self.call, user.user_id)
        return proxy.failing(self.fault, (self.call,), user.user_id, times=self.times)

    @property
    def loses_write(self) -> bool:
        """Whether AWS makes the write of the request, and its response is lost."""
        happens = self.fault is Moment.AFTER if isinstance(self.fault, Moment) else self.fault.happens
        return happens and self.scenario.writes and self.call == self.scenario.calls[-1]


@dataclass(frozen=True)
class Seen:
    """The result of a trial."""

    trial: Trial
    answer: Answer
    seconds: float
    changed: bool  # whether the stored item changed
    failures: tuple[int, int]  # the counted attempts with TOTP codes and with backup codes
    recovery: str = ""  # the user's next step, which worked

    @property
    def outcome(self) -> str:
        if self.answer.status != 503:
            return "as without the fault"
        return "503, written" if self.changed else "503"


def all_faults(scenarios: Iterable[Scenario]) -> list[Trial]:
    """Return every fault, once and permanently, on every call of each scenario."""
    return [
        Trial(scenario, call, fault, times)
        for times in (None, ONCE)  # the slowest first
        for scenario in scenarios
        for call in scenario.calls
        for fault in FAULTS
    ]


def all_crashes(scenarios: Iterable[Scenario]) -> list[Trial]:
    """Return a crash before and after every call of each scenario."""
    return [Trial(scenario, call, moment) for scenario in scenarios for call in scenario.calls for moment in Moment]


def attempt(proxy: FaultProxy) -> Callable[[HttpUser, Trial], Seen]:
    """Return a function that runs a trial and checks its result."""

    def tried(user: HttpUser, trial: Trial) -> Seen:
        scenario = trial.scenario
        scenario.prepare(user)
        before = user.item()
        began = time.monotonic()
        with trial.injected(proxy, user):
            answer = scenario.act(user)
        seconds = time.monotonic() - began
        after = user.item()
        seen = Seen(trial, answer, seconds, before != after, failures(after))
        if isinstance(trial.fault, Moment):
            assert answer.status >= 500, answer
            assert seen.changed == trial.loses_write
        else:
            _check_answer(seen, trial.fault)
        assert seen.failures == promised_failures(scenario, seen.changed), "attempts counted"
        _check_status(user, scenario, seen)
        return Seen(trial, answer, seconds, seen.changed, seen.failures, scenario.recover(user, seen.changed))

    return tried


def _check_answer(seen: Seen, fault: Fault) -> None:
    trial, answer = seen.trial, seen.answer
    if trial.times == ONCE or not fault.fails:
        # The AWS client's second attempt succeeds, and recognises a write that the first attempt made.
        assert answer.status == trial.scenario.status, answer
    elif not trial.loses_write:
        assert answer.status == 503, answer
    if answer.status == trial.scenario.status:
        assert seen.changed == trial.scenario.writes, "success without a write, or a write too many"
    else:
        assert (answer.status, answer.error) == (503, ErrorCode.SERVICE_UNAVAILABLE), answer
        assert answer.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)
        assert trial.loses_write or not seen.changed, "503, although the record changed"


def _check_status(user: HttpUser, scenario: Scenario, seen: Seen) -> None:
    """Check that the user can learn the state, and that a secret that was never shown is not enabled."""
    item = user.item()
    record = record_from_item(user.user_id, item) if item else None
    assert user.status()["enabled"] == (record is not None and record.enabled)
    if scenario.route == SETUP and record is not None:
        assert record.status is Status.PENDING, seen


def check_logs(aws: Aws, stack: Stack, seen: list[Seen], since: int) -> None:
    """Check the metrics of each request, and that the log names the call that failed."""
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
    """Return the timeout of a function in seconds."""
    seconds: int = aws.client("lambda").get_function_configuration(FunctionName=stack.functions[function])["Timeout"]
    return seconds


def table_of_faults(seen: list[Seen]) -> str:
    """Return a table with a row for each fault."""

    def cell(fault: Fault, times: int | None) -> str:
        mine = [each for each in seen if (each.trial.fault, each.trial.times) == (fault, times)]
        outcomes = Counter(each.outcome for each in mine).most_common()
        slowest = max(each.seconds for each in mine)
        return f"{', '.join(f'{number} x {outcome}' for outcome, number in outcomes)}; {slowest:.1f} s at most"

    rows = [f"| {fault.name}: {fault.what} | {cell(fault, None)} | {cell(fault, ONCE)} |" for fault in FAULTS]
    return "\n".join(["| Fault | Permanent | Once |", "|---|---|---|", *rows])


def table_of_crashes(seen: list[Seen]) -> str:
    """Return a table with a row for each request and state of its item."""
    kills = Counter(
        f"| {each.trial.scenario.name} | {'written' if each.changed else 'unchanged'} | {sum(each.failures)} "
        f"| {each.recovery} |"
        for each in seen
    )
    head = ["| Request | Item | Attempts counted | The user's next step | Kills |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(f"{row} {number} |" for row, number in kills.items())])


def test_faults_and_crashes_of_one_route(stack: Stack, aws: Aws, new_user: NewUser, say: Callable[[str], None]) -> None:
    began = int(time.time() * 1000)
    scenarios = {scenario.name: scenario for scenario in SCENARIOS}
    faults = [each for each in all_faults([scenarios["verify"]]) if each.times is None or each.call == SWAP]
    crashes = [Trial(scenarios[name], SWAP, Moment.AFTER) for name in ("verify-setup", "verify, wrong code")]
    with between(aws, stack.endpoint_url, [stack.functions[each.function] for each in (VERIFY_SETUP, VERIFY)]) as proxy:
        crowd = Crowd(new_user, size=4)
        crowd.warm_up([VERIFY_SETUP, VERIFY])
        seen = crowd.run([*faults, *crashes], attempt(proxy), say)
    check_logs(aws, stack, seen[: len(faults)], began)
    assert max(each.seconds for each in seen) < timeout_of(aws, stack, VERIFY.function)


def test_a_request_whose_calls_each_hang_once_succeeds_within_its_timeout(
    stack: Stack, aws: Aws, new_user: NewUser
) -> None:
    hanging = next(fault for fault in FAULTS if fault.name == "hanging")
    user = new_user("patient@example.com")
    user.fresh_time_step()
    user.enrol()
    with between(aws, stack.endpoint_url, [stack.functions[VERIFY.function]]) as proxy:
        user.verify()  # starts the process
        began = time.monotonic()
        with proxy.failing(hanging, ("dynamodb:GetItem", "kms:Decrypt", SWAP), user.user_id, times=ONCE):
            assert user.verify(user.code(steps=1)).status == 200
        assert time.monotonic() - began < timeout_of(aws, stack, VERIFY.function)


@pytest.mark.attack
def test_every_fault_and_crash_on_every_call_of_every_route(
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
        seen = crowd.run(all_faults(SCENARIOS), attempt(proxy), say)
        crashes = crowd.run(all_crashes(SCENARIOS), attempt(proxy), say)
    check_logs(aws, stack, seen, began)
    limit = min(timeout_of(aws, stack, route.function) for route in ENDPOINTS)
    assert max(each.seconds for each in seen) < limit < GATEWAY_SECONDS
    report(
        "Faults of DynamoDB and KMS",
        f"""
A proxy between the deployed functions and AWS failed each AWS call of each route in {len(FAULTS)} ways, permanently and
once: {len(seen)} requests. Checked for each: the status, `Retry-After`, the metric, the call that the log names, the
stored item, the attempt counters, and that the user's next step works. Functions have a timeout of {limit} s.

"503, written" means that the write succeeded and its response was lost.

{table_of_faults(seen)}
""",
    )
    report(
        "Workers killed before and after each AWS call",
        f"""
The process of the function was killed (`SIGKILL`) {len(crashes)} times: before AWS received a call, or after AWS had
made it and before the function got the response. Each caller got a 5xx. Checked each time: the stored item, the attempt
counters, that `GET /auth/mfa` works, that no unconfirmed secret is enabled, and that the user's next step works.

{table_of_crashes(crashes)}
""",
    )
