"""Fixtures for all tests, which reach only the loopback interface and an emulated AWS."""

import gc
import importlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import hypothesis
import pyotp
import pytest
import pytest_socket
from moto import mock_aws
from xdist.scheduler import LoadScopeScheduling

from functions.shared.clock import Clock
from functions.shared.contract import Env
from tests.support.embedded_aws import REGION, TABLE_NAME, EmbeddedAws, aws_session, key_pairs
from tests.support.leaks import IN_PROCESS
from tests.support.life_cycle import User
from tests.support.logs import forget_logger
from tests.support.metrics import Emitted, emitted_metrics
from tests.support.proofs import Proofs

# No deadline: the machine may be busy.
hypothesis.settings.register_profile("tests", parent=hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("tests")

pytest_plugins = ["tests.support.leak_watch", "tests.support.deployed_stack", "tests.support.attacks"]

#: What takes longest starts first, so that the workers of a parallel run end together.
_FIRST = ("e2e/test_deployments.py", "infra", "e2e", "attack", "local", "images", "tools")
#: Folders whose tests have no more in common than a stack, of which each worker starts its own.
_BY_FILE = ("e2e", "attack")


def pytest_configure(config: pytest.Config) -> None:
    """Set a temporary state directory for the emulated AWS, which creates a key when it is imported."""
    state = tempfile.TemporaryDirectory(prefix="tests-embedded-aws-")
    os.environ["STATE_DIR"] = state.name
    config.add_cleanup(state.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes longest first."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    scope = _scope(item.nodeid)
    return next((rank for rank, first in enumerate(_FIRST) if first in (scope, scope.partition("/")[0])), len(_FIRST))


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Exempt what a folder leaves behind, such as synthesized stacks, from garbage collection: it stays in use."""
    if nextitem is not None and _scope(nextitem.nodeid) != _scope(item.nodeid):
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "_ByScope | None":
    """Run each folder, or each file of a large one, on one worker, unless ``--dist`` says otherwise."""
    return _ByScope(config, log) if config.getoption("dist") == "load" else None


class _ByScope(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Distributes folders and files, so that slow fixtures are set up once on a worker."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


def _scope(nodeid: str) -> str:
    """Return the folder of a test below ``tests``, with its file if the folder is divided."""
    folder, file = Path(nodeid.partition("::")[0]).parts[1:3]
    return f"{folder}/{file}" if folder in _BY_FILE else folder


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the machine's AWS settings from the environment, and set made-up credentials."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "MFA_", "JWT_", "POWERTOOLS_")) or name in list(Env):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _loopback_only(socket_enabled: None) -> None:
    """Allow connections only to this machine."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedAws]:
    """Start an emulated AWS for one test."""
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", aws_session())
        monkeypatch.setattr("moto.kms.models.generate_private_key", key_pairs())
        yield EmbeddedAws()


@pytest.fixture
def function_environment(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the environment variables of the deployed functions."""
    variables = {
        Env.ENVIRONMENT: "dev",
        Env.USERS_TABLE_NAME: TABLE_NAME,
        Env.MFA_ENCRYPTION_KEY: aws.key_arn,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return {str(name): value for name, value in variables.items()}


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    forget_logger()


@pytest.fixture
def load_handler(
    function_environment: dict[str, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ModuleType]]:
    """Return a function that imports a handler anew, as a fresh Lambda process does, with a clock if one is given."""
    # The same secrets in each run: with a few secrets in a million, two time steps have the same code.
    monkeypatch.setattr(pyotp, "random", random.Random(request.node.nodeid))  # noqa: S311 -- nobody's secrets
    loaded: list[str] = []

    def load(function: str, clock: Clock | None = None) -> ModuleType:
        forget_logger()
        name = f"functions.{function}.handler"
        sys.modules.pop(name, None)
        loaded.append(name)
        module = importlib.import_module(name)
        handler = module.lambda_handler if clock is None else module.create_handler(os.environ, clock)
        vars(module)["lambda_handler"] = IN_PROCESS.watching(handler)
        return module

    yield load
    for name in loaded:
        sys.modules.pop(name, None)


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> Emitted:
    """Return a function that returns the metrics since it was last called."""
    return lambda: emitted_metrics(capsys.readouterr().out, environment="dev")


@pytest.fixture(scope="session")
def oathtool() -> str:
    """Return the path of the OATH Toolkit's command; required in CI."""
    path = shutil.which("oathtool")
    if path is not None:
        return path
    message = "oathtool is not installed (Debian package oathtool)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def user(load_handler: Callable[..., ModuleType]) -> User:
    """Return a user who has not enrolled yet."""
    return User(load_handler)


@pytest.fixture
def enrolled(user: User) -> User:
    """Return a user whose second factor is on."""
    user.enrol()
    return user


@pytest.fixture
def proofs(aws: EmbeddedAws, load_handler: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch) -> Proofs:
    """Turn proofs on, with a key pair in the embedded KMS."""
    return Proofs(aws, load_handler, monkeypatch)
