"""Environments, each synthesized once for all tests."""

import pytest

from infra.config import DEV, ENVIRONMENTS, LOCAL, PROD
from tests.infra.synthesis import Stack, Synthesize, Synthesized, synthesize


@pytest.fixture(scope="session")
def synthesized() -> Synthesize:
    """Return `synthesize`."""
    return synthesize


@pytest.fixture
def dev(synthesized: Synthesize) -> Synthesized:
    return synthesized(DEV)


@pytest.fixture
def prod(synthesized: Synthesize) -> Synthesized:
    return synthesized(PROD)


@pytest.fixture
def local(synthesized: Synthesize) -> Synthesized:
    return synthesized(LOCAL)


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> str:
    """Return the name of every environment, one after the other."""
    return str(request.param)


@pytest.fixture
def each(environment: str, synthesized: Synthesize) -> Synthesized:
    """Return every environment, one after the other."""
    return synthesized(environment)


@pytest.fixture
def service(each: Synthesized) -> Stack:
    """Return the service stack of every environment, one after the other."""
    return each.service
