"""One stack for the whole run: a new one, or the running one whose state file ``MFA_STACK`` names.

``make up``, then ``MFA_STACK=.local/stack.json .venv/bin/python -m pytest tests/e2e -k setup``.
"""

import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local import users
from local.stack import Stack, StackFolder
from local.users import TokenKind
from tests.support.http_user import HttpUser, NewUser
from tests.support.leak_watch import nothing_leaks
from tests.support.stack import Api, Aws, function_log_since, given_stack, log_since, log_size, own_stack

_LOG_LINES = 60


@dataclass
class _Watched:
    """The stack whose logs are shown when a test fails, and the size of the logs when the test began."""

    place: StackFolder
    aws: Aws
    offset: int = 0
    began: int = 0

    def begin(self) -> None:
        self.offset, self.began = log_size(self.place), int(time.time() * 1000)

    def sections(self) -> Iterator[tuple[str, str]]:
        for title, lines in {
            f"emulator log ({self.place.log})": log_since(self.place, self.offset).splitlines(),
            "function logs": list(function_log_since(self.aws, self.began)),
        }.items():
            yield title, "\n".join(lines[-_LOG_LINES:])


_WATCHED = pytest.StashKey[_Watched]()


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the stack under test; its attributes are the fields of ``stack.json``."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def show(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}")

    given = os.environ.get("MFA_STACK")
    if given is None:
        show("starting a stack for the end-to-end tests")
    with own_stack(tmp_path_factory.mktemp("stack")) if given is None else given_stack(Path(given)) as (running, place):
        pytestconfig.stash[_WATCHED] = _Watched(place, Aws(running))
        with nothing_leaks(running, place, show):
            yield running


@pytest.fixture(scope="session")
def stack_place(stack: Stack, pytestconfig: pytest.Config) -> StackFolder:
    """Return where the stack under test keeps its files."""
    return pytestconfig.stash[_WATCHED].place


@pytest.fixture(scope="session")
def api(stack: Stack) -> Api:
    """Return a client of the API under test."""
    return Api(stack.api_url)


@pytest.fixture(scope="session")
def stack_aws(stack: Stack) -> Aws:
    """Return the emulated AWS of the stack under test; in tests over HTTP it is the fixture ``aws``."""
    return Aws(stack)


@pytest.fixture(scope="session")
def token_for(stack: Stack) -> Callable[..., str]:
    """Return a function that returns a new token of a user, who is created if needed."""

    def token(user: str, kind: TokenKind = TokenKind.ACCESS) -> str:
        return users.token(stack, user, kind)

    return token


@pytest.fixture(scope="session")
def new_user(stack: Stack, api: Api, stack_aws: Aws, token_for: Callable[..., str]) -> NewUser:
    """Return a function that returns a user of a name, with nothing stored."""

    def create(name: str) -> HttpUser:
        user = HttpUser(api, stack_aws, stack.table_name, token_for(name))
        user.forget()
        return user

    return create


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember the size of the logs."""
    if watched := item.config.stash.get(_WATCHED, None):
        watched.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of the emulator and of the functions to the report of a failed test."""
    report = yield
    watched = item.config.stash.get(_WATCHED, None)
    if report.failed and watched is not None:
        try:
            report.sections.extend(watched.sections())
        except (BotoCoreError, ClientError, OSError) as error:  # the emulator may be what failed
            report.sections.append(("logs", f"not available: {error!r}"))
    return report
