"""One emulator for the tests of its gaps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import ports, server
from local.stack import StackFolder
from tests.support.emulator import Deploy, Deployed, Emulator, emulator_below


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StackFolder]:
    """Return the place of a stack on a free port; a stack that runs there is stopped at the end."""
    folder = StackFolder(ports.free_port(), tmp_path)
    yield folder
    server.stop(folder)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Start an emulator with its gaps filled."""
    with emulator_below(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def deploy(emulator: Emulator) -> Iterator[Deploy]:
    """Return `Emulator.deploy`; the stacks are deleted at the end."""
    stacks: list[Deployed] = []

    def deploy_and_remember(resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> Deployed:
        stacks.append(emulator.deploy(resources, outputs))
        return stacks[-1]

    yield deploy_and_remember
    for stack in stacks:
        stack.delete()
