"""Fails a test that prints or returns a secret, and a run whose stack wrote one down anywhere.

A pytest plugin. Within a test's own process, the ledger learns what is secret from the handlers that `tests.conftest`
loads; whatever the test printed, logged or was answered is searched at its end. Over HTTP, the ledger learns from
`tests.support.stack.Api`; `nothing_leaks` searches all that the stack has written down when the run ends.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from functions.shared.contract import EVENT_SOURCE
from local.stack import Stack, StackFolder
from tests.support.leaks import IN_PROCESS, OVER_HTTP, Kind, Leak, Search, Used
from tests.support.stack import Aws, every_function_log_since, log_since, log_size
from tests.support.subscriber import Event, Subscriber

#: One cause makes many leaks; so many are shown.
_SHOWN: Final = 10
_LEDGERS: Final = (IN_PROCESS, OVER_HTTP)


class _Test:
    """The secrets, responses and output of one test."""

    def __init__(self) -> None:
        self.read: list[tuple[str, str]] = []
        self._began = [(ledger, len(ledger.answers)) for ledger in _LEDGERS]
        for ledger in _LEDGERS:
            ledger.lately.clear()

    def leaks(self, printed: Iterable[tuple[str, str]]) -> list[Leak]:
        used = [each for ledger in _LEDGERS for each in ledger.lately.values()]
        answers = [each for ledger, before in self._began for each in ledger.answers[before:]]
        texts = [each for each in (*printed, *self.read, *answers) if each[1]]
        return list(Search(used).leaks(texts)) if used and texts else []


_TEST: Final = pytest.StashKey[_Test]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start to record a test."""
    item.stash[_TEST] = _Test()


@pytest.fixture(autouse=True)
def _keep_what_is_read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a copy of the output that a test reads, since pytest does not report it."""
    readouterr = pytest.CaptureFixture.readouterr
    read = request.node.stash[_TEST].read

    def readouterr_and_keep(capture: pytest.CaptureFixture[Any]) -> Any:
        result = readouterr(capture)
        read.append(("the output that the test read", f"{result.out}\n{result.err}"))
        return result

    monkeypatch.setattr(pytest.CaptureFixture, "readouterr", readouterr_and_keep)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Search the output of a test when it ends, and fail it for leaks."""
    report = yield
    if call.when == "teardown" and report.passed and (leaks := item.stash[_TEST].leaks(report.sections)):
        report.outcome = "failed"
        report.longrepr = _message("This test printed, logged or returned what must stay secret", leaks)
    return report


class StackWatch:
    """Searches everything that a stack wrote since its creation."""

    def __init__(self, stack: Stack, place: StackFolder) -> None:
        self._stack, self._place, self._aws = stack, place, Aws(stack)
        self._began, self._offset = int(time.time() * 1000), log_size(place)

    def leaks(self, used: Iterable[Used], events: Iterable[Event] = ()) -> list[Leak]:
        """Return the leaks of used values in logs, metrics, items and events.

        A place that may contain a kind of value is not searched for it.
        """
        everything = list(used)
        texts = [*self.function_logs(), *self.metrics(), *(("an event", str(event)) for event in events)]
        return [
            *Search(everything).leaks(texts),
            # A sealed secret contains its user's id in base64, as a token does.
            *Search(each for each in everything if each.kind is not Kind.TOKEN).leaks(self.items()),
            # The emulator's user pool logs the names of users.
            *Search(each for each in everything if each.kind is not Kind.LABEL).leaks(self.emulator_log()),
        ]

    def function_logs(self) -> Iterator[tuple[str, str]]:
        """Yield every log line of the functions, with metrics and the platform's lines."""
        for function, message in every_function_log_since(self._aws, self._began):
            yield f"the log of {function}", message

    def metrics(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the dimensions of every metric."""
        for page in self._aws.client("cloudwatch").get_paginator("list_metrics").paginate():
            yield from (("a metric", str(metric)) for metric in page["Metrics"])

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield every item in the table."""
        for page in self._aws.client("dynamodb").get_paginator("scan").paginate(TableName=self._stack.table_name):
            yield from (("a stored item", str(item)) for item in page["Items"])

    def emulator_log(self) -> Iterator[tuple[str, str]]:
        """Yield the lines of the emulator's own log."""
        yield from (("the emulator's log", line) for line in log_since(self._place, self._offset).splitlines())


@contextmanager
def nothing_leaks(stack: Stack, place: StackFolder, show: Callable[[str], None]) -> Iterator[None]:
    """Fail the run if the stack wrote a secret of the tests anywhere; ``show`` prints a summary of the search."""
    watch = StackWatch(stack, place)
    with Subscriber(Aws(stack), {"source": [EVENT_SOURCE]}).subscribed() as subscriber:
        yield
        events = subscriber.everything()
    used = list(OVER_HTTP.used.values())
    leaks = [*watch.leaks(used, events), *Search(used).leaks(OVER_HTTP.answers)]
    show(f"searched what the stack wrote down for {len(used)} secrets, codes and tokens: {len(leaks)} found")
    if leaks:
        message = _message(
            "The stack wrote down what must stay secret (this test is just the last one of the run)", leaks
        )
        pytest.fail(message, pytrace=False)


def _message(heading: str, leaks: list[Leak]) -> str:
    kinds = {kind: sum(leak.used.kind is kind for leak in leaks) for kind in Kind}
    counted = ", ".join(f"{number} x {kind}" for kind, number in kinds.items() if number)
    return "\n  ".join([f"{heading}: {counted}", *map(str, leaks[:_SHOWN])])
