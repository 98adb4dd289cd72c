"""One emulator for the tests of its gaps."""

from collections.abc import Iterator

import pytest

from tests.support.emulator import Emulator, emulator_below


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Start an emulator with its gaps filled."""
    with emulator_below(tmp_path_factory.mktemp("emulator")) as running:
        yield running
