"""Starts and stops whole stacks, for `run`, `up`, `down` and the tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from local import server
from local.bootstrap import bootstrap, create_administrator
from local.deploy import deploy
from local.progress import Progress
from local.server import Server
from local.stack import Credentials, Stack, StackFolder, publish


@contextmanager
def running(folder: StackFolder, progress: Progress) -> Iterator[tuple[Stack, Server]]:
    """Start an emulator and deploy to it; stop it on exit, also after an error."""
    started = _start(folder, progress)
    try:
        yield _provision(started, progress), started
    finally:
        with progress.step("stop"):
            started.stop()


def up(folder: StackFolder, progress: Progress) -> Stack:
    """Start a stack that outlives this process; if it runs already, deploy the current code."""
    if server.running(folder) is not None and folder.state.exists():
        stack = Stack.load(folder.state)
        return _deploy(folder, stack.administrator, stack.console_url, progress)
    started = _start(folder, progress)
    try:
        stack = _provision(started, progress)
    except BaseException:
        started.stop()
        raise
    started.release()
    return stack


def down(folder: StackFolder, progress: Progress) -> bool:
    """Stop the stack on a port; return False if it was not running."""
    with progress.step("stop"):
        return server.stop(folder)


def _start(folder: StackFolder, progress: Progress) -> Server:
    with progress.step(f"start the emulated AWS on 127.0.0.1:{folder.port}"):
        return server.start(folder)


def _provision(started: Server, progress: Progress) -> Stack:
    with progress.step("bootstrap the account"):
        administrator = create_administrator(started.root, started.folder.endpoint_url)
        bootstrap(administrator, started.folder.endpoint_url)
    return _deploy(started.folder, administrator, started.console_url, progress)


def _deploy(folder: StackFolder, administrator: Credentials, console_url: str, progress: Progress) -> Stack:
    stack = deploy(folder, administrator, console_url, progress)
    stack.save(folder.state)
    publish(folder.root)
    return stack
