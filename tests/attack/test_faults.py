"""Each AWS call of each route fails in each way, once and permanently, and no code is accepted unchecked.

The API promises (docs/api.md) a 503 with ``Retry-After`` in time, nothing changed and no attempt counted. There is one
exception: a write can succeed although its response is lost.
"""

import time
from collections import Counter
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

#: API Gateway's own timeout; that of the functions is shorter.
GATEWAY_SECONDS: Final = 29
#: The AWS clients try each call at most twice.
ONCE: Final = 1

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Trial:
    """A fault of one AWS call of a request; ``times`` is None for a permanent fault."""

    scenario: Scenario
    call: str
    fault: Fault
    times: int | None

    def __str__(self) -> str:
        return f"{self.scenario.name}, {self.call} {self.fault.name} {'permanently' if self.times is None else 'once'}"


@dataclass(frozen=True)
class Seen:
    """The result of a trial.

    Attributes
    ----------
    changed : bool
        Whether the stored item changed.
    failures : tuple of int
        The counted attempts with TOTP codes and with backup codes.
    """

    trial: Trial
    answer: Answer
    seconds: float
    changed: bool
    failures: tuple[int, int]

    @property
    def outcome(self) -> str:
        if self.answer.status != 503:
            return "as without the fault"
        return "503, written" if self.changed else "503"


def trials(scenarios: Iterable[Scenario]) -> list[Trial]:
    """Return every fault, once and permanently, on every call of each scenario."""
    return [
        Trial(scenario, call, fault, times)
        for times in (None, ONCE)  # the slowest first
        for scenario in scenarios
        for call in scenario.calls
        for fault in FAULTS
    ]


def attempt(proxy: FaultProxy) -> Callable[[HttpUser, Trial], Seen]:
    """Return a function that runs a trial and checks its result."""

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
        # The AWS client's second attempt succeeds, and recognises a write that the first attempt made.
        assert answer.status == scenario.status, answer
    elif not lost_write:
        assert answer.status == 503, answer
    if answer.status == scenario.status:
        assert seen.changed == scenario.writes, "success without a write, or a write too many"
    else:
        assert (answer.status, answer.error) == (503, ErrorCode.SERVICE_UNAVAILABLE), answer
        assert answer.headers["Retry-After"] == str(RETRY_AFTER_SECONDS)
        assert lost_write or not seen.changed, "503, although the record changed"
    assert seen.failures == promised_failures(scenario, seen.changed), "attempts counted"


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


def as_table(seen: list[Seen]) -> str:
    """Return a table of the results: a row for each fault."""

    def cell(fault: Fault, times: int | None) -> str:
        mine = [each for each in seen if (each.trial.fault, each.trial.times) == (fault, times)]
        outcomes = Counter(each.outcome for each in mine).most_common()
        slowest = max(each.seconds for each in mine)
        return f"{', '.join(f'{number} x {outcome}' for outcome, number in outcomes)}; {slowest:.1f} s at most"

    rows = [f"| {fault.name}: {fault.what} | {cell(fault, None)} | {cell(fault, ONCE)} |" for fault in FAULTS]
    return "\n".join(["| Fault | Permanent | Once |", "|---|---|---|", *rows])


def test_each_kind_of_fault_of_one_route(stack: Stack, aws: Aws, new_user: NewUser, say: Callable[[str], None]) -> None:
    began = int(time.time() * 1000)
    (verify,) = (scenario for scenario in SCENARIOS if scenario.name == "verify")
    with between(aws, stack.endpoint_url, [stack.functions[VERIFY.function]]) as proxy:
        crowd = Crowd(new_user, size=4)
        crowd.warm_up([VERIFY_SETUP, VERIFY])
        wanted = [each for each in trials([verify]) if each.times is None or each.call == SWAP]
        seen = crowd.run(wanted, attempt(proxy), say)
    check_logs(aws, stack, seen, began)
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
    report(
        "Faults of DynamoDB and KMS",
        f"""
A proxy between the deployed functions and AWS failed each AWS call of each route in {len(FAULTS)} ways, permanently and
once: {len(seen)} requests. Checked for each: the status, `Retry-After`, the metric, the call that the log names, the
stored item, the attempt counters, and that the user's next step works. Functions have a timeout of {limit} s.

"503, written" means that the write succeeded and its response was lost.

{as_table(seen)}
""",
    )
