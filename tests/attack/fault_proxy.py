"""A proxy between the deployed functions and the emulated AWS, which injects faults for single users.

The faults come from microburst, which implements AWS's protocols. It runs in a thread of the test, and recognises users
by their ids in the calls, so that parallel users can have different faults.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from threading import Thread
from typing import Any, Final

from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.detection import detect
from microburst.forward import Upstream

from functions.shared.contract import partition_key
from local import ports
from tests.support.processes import connected
from tests.support.released import released
from tests.support.stack import Aws

#: Longer than any client waits.
_FOR_EVER_MS: Final = 30_000


@dataclass(frozen=True)
class Fault:
    """A way in which an AWS call fails."""

    name: str
    what: str  # for the report
    rule: Mapping[str, Any]  # of microburst
    happens: bool  # whether AWS makes the call
    fails: bool = True  # whether the caller gets no usable response


FAULTS: Final = (
    Fault("throttled", "too many requests", {"error": {"code": "ThrottlingException"}}, happens=False),
    Fault("5xx", "500 InternalServerError", {"error": {"code": "InternalServerError", "status": 500}}, happens=False),
    Fault("reset", "connection reset before AWS receives the call", {"reset": True}, happens=False),
    Fault("hanging", "AWS does not receive the call, no response", {"timeout_ms": _FOR_EVER_MS}, happens=False),
    Fault("slow", "response after 300 to 600 ms", {"latency": {"min": 300, "max": 600}}, happens=True, fails=False),
    Fault("stalling", "the headers, then a byte a minute", {"response": {"bandwidth_kbps": 0.00002}}, happens=True),
    Fault("short", "half the body, in valid HTTP", {"response": {"truncate_frac": 0.5}}, happens=True),
    Fault("cut", "connection closed in the middle of the body", {"response": {"abort_frac": 0.5}}, happens=True),
    Fault("lost", "connection closed before the body", {"response": {"abort_bytes": 0}}, happens=True),
)


class Moment(Enum):
    """When to kill a worker: before AWS receives a call, or before the worker gets the response."""

    BEFORE = "before"
    AFTER = "after"


class FaultProxy:
    """Forwards calls to AWS, with faults; ``url`` is the endpoint to configure in functions."""

    def __init__(self, upstream: str) -> None:
        self._microburst = Microburst(upstream)
        self._aws = self._microburst.upstream = _EmbeddedAws(upstream)
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        listener = ports.listen(0)
        self._listener = listener
        self.url = ports.url(listener.getsockname()[1])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve in a thread during a block; calls that still hang at its end are dropped."""
        thread = Thread(target=self._run, name="fault proxy")
        thread.start()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # cancels tasks that are left
            runner.run(self._serve())

    async def _serve(self) -> None:
        serving = web.AppRunner(make_app(self._microburst), access_log=None, shutdown_timeout=0.1)
        await serving.setup()
        await web.SockSite(serving, self._listener).start()
        await self._over.wait()
        await serving.cleanup()

    @contextmanager
    def failing(
        self, fault: Fault, calls: tuple[str, ...], user_id: str, *, times: int | None = None
    ) -> Iterator[None]:
        """Make calls for a user, such as ``dynamodb:GetItem``, fail during a block, each ``times`` or always.

        At least one of them must be made.
        """
        wanted: list[dict[str, Any]] = []
        for call in calls:
            service, operation = call.split(":")
            wanted.append({"service": service, "operation": operation, "body": _concerning(user_id), **fault.rule})
        if times is not None:
            wanted = [rule | {"times": times} for rule in wanted]
        engine = self._microburst.engine
        rules = self._in_loop(lambda: engine.add_rules(wanted))
        try:
            yield
        finally:
            self._in_loop(lambda: [engine.rules.remove(rule) for rule in rules])
        assert all(rule.fired_count for rule in rules), f"{fault.name}: none of {calls} was made"

    @contextmanager
    def killing(self, moment: Moment, call: str, user_id: str) -> Iterator[None]:
        """Kill the worker that makes a call for a user during a block; the call must be made."""
        victim = (call, user_id)
        self._in_loop(lambda: self._aws.victims.update({victim: moment}))
        try:
            yield
        finally:
            left = self._in_loop(lambda: self._aws.victims.pop(victim, None))
        assert left is None, f"{call} was not made"

    def _in_loop(self, change: Callable[[], Any]) -> Any:
        async def run() -> Any:
            return change()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()


class _EmbeddedAws(Upstream):  # type: ignore[misc] # microburst has no types
    """The emulated AWS, called with the host that the function signed; kills workers."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.victims: dict[tuple[str, str], Moment] = {}

    def _outbound_headers(self, request: web.Request) -> dict[str, str]:
        headers: dict[str, str] = super()._outbound_headers(request)
        return headers | {"host": request.headers["Host"]}

    async def relay(self, request: web.Request, body: bytes, **faults: Any) -> web.StreamResponse:
        asked = detect(request.headers, request.method, request.path, request.query, body)
        call = f"{asked.service}:{asked.operation}"
        victim = next((victim for victim in self.victims if victim[0] == call and victim[1].encode() in body), None)
        if victim is None:
            answer: web.StreamResponse = await super().relay(request, body, **faults)
            return answer
        await self._kill(self.victims.pop(victim), request, body)
        raise web.HTTPServiceUnavailable  # the worker is dead

    async def _kill(self, moment: Moment, request: web.Request, body: bytes) -> None:
        assert request.transport is not None
        if moment is Moment.AFTER:
            url = self.base_url + request.rel_url.raw_path_qs
            async with self.session.post(url, headers=self._outbound_headers(request), data=body) as answer:
                await answer.read()
        theirs, ours = (request.transport.get_extra_info(end)[1] for end in ("peername", "sockname"))
        os.kill(connected(theirs, ours), signal.SIGKILL)
        request.transport.abort()


def _concerning(user_id: str) -> str:
    """Return the JMESPath expression that matches calls for a user."""
    key = partition_key(user_id)
    return (
        f"Key.pk.S == '{key}' || Item.pk.S == '{key}' || EncryptionContext.user_id == '{user_id}'"
        f" || Entries[?contains(Detail, '{user_id}')]"
    )


@contextmanager
def between(aws: Aws, upstream: str, functions: list[str]) -> Iterator[FaultProxy]:
    """Put a proxy between functions (Lambda names) and the emulated AWS during a block."""
    proxy = FaultProxy(upstream)
    with proxy.running(), ExitStack() as released_versions:
        services = ("DYNAMODB", "KMS", "EVENTBRIDGE", "SQS")
        endpoints = {f"AWS_ENDPOINT_URL_{service}": proxy.url for service in services}
        for function in functions:
            released_versions.enter_context(released(aws, function, endpoints))
        yield proxy
