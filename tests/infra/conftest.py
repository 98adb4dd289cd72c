"""Environments, each synthesized once for all tests."""

from collections.abc import Callable
from functools import cache

import pytest

from infra.config import DEV, ENVIRONMENTS, LOCAL, PROD
from tests.infra.synthesis import Synthesized, synthesize


@pytest.fixture(scope="session")
def synthesized() -> Callable[[str], Synthesized]:
    """Return a function that synthesizes an environment, the first time that it is asked for it."""
    return cache(synthesize)


@pytest.fixture
def dev(synthesized: Callable[[str], Synthesized]) -> Synthesized:
    return synthesized(DEV)


@pytest.fixture
def prod(synthesized: Callable[[str], Synthesized]) -> Synthesized:
    return synthesized(PROD)


@pytest.fixture
def local(synthesized: Callable[[str], Synthesized]) -> Synthesized:
    return synthesized(LOCAL)


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> str:
    """Name every environment, one after the other."""
    return str(request.param)


@pytest.fixture
def each(environment: str, synthesized: Callable[[str], Synthesized]) -> Synthesized:
    """Return every environment, one after the other."""
    return synthesized(environment)
