"""Stacks from nothing to running, and back: what `run`, `up` and `down` share with the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local import server
from local.bootstrap import Credentials, bootstrap, create_administrator
from local.deploy import deploy
from local.progress import Progress
from local.server import REGION, Server
from local.stack import Place, Stack, publish


@dataclass(frozen=True)
class Running:
    """A stack together with the emulator that this process started for it."""

    stack: Stack
    server: Server


@contextmanager
def running(place: Place, progress: Progress) -> Iterator[Running]:
    """Start an emulator, deploy to it, and take everything down at the end, whatever happens."""
    started = _start(place, progress)
    try:
        yield Running(_provision(started, progress), started)
    finally:
        with progress.step("stop"):
            started.stop()


def up(place: Place, progress: Progress) -> Stack:
    """Start a stack that outlives this process; where one runs already, deploy the code as it is now to it."""
    if server.running(place) is not None and place.state.exists():
        stack = Stack.load(place.state)
        return _deploy(place, _administrator(stack), stack.console_url, progress)
    started = _start(place, progress)
    try:
        stack = _provision(started, progress)
    except BaseException:
        started.stop()
        raise
    started.release()
    return stack


def down(place: Place, progress: Progress) -> bool:
    """Stop the stack on a port, whoever started it; return False when none was running."""
    if server.running(place) is None:
        server.clear(place)
        return False
    with progress.step("stop"):
        return server.stop(place)


def _start(place: Place, progress: Progress) -> Server:
    with progress.step(f"start the embedded AWS on 127.0.0.1:{place.port}"):
        return server.start(place)


def _provision(started: Server, progress: Progress) -> Stack:
    with progress.step("bootstrap the account"):
        administrator = create_administrator(started.root, endpoint_url=started.endpoint_url, region=REGION)
        bootstrap(administrator, endpoint_url=started.endpoint_url, region=REGION)
    return _deploy(started.place, administrator, started.console_url, progress)


def _deploy(place: Place, administrator: Credentials, console_url: str, progress: Progress) -> Stack:
    stack = deploy(
        place,
        administrator,
        endpoint_url=server.endpoint_url(place.port),
        console_url=console_url,
        region=REGION,
        progress=progress,
    )
    stack.save(place.state)
    publish(place.root)
    return stack


def _administrator(stack: Stack) -> Credentials:
    return Credentials(stack.access_key_id, stack.secret_access_key)
