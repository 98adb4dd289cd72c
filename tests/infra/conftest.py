"""Environments, each synthesized once for all tests."""

import pytest

from infra.config import DEV, ENVIRONMENTS, LOCAL, PROD
from tests.infra.deployments import EVERYTHING, deployment
from tests.infra.synthesis import Stack, Synthesized, synthesize


@pytest.fixture
def dev() -> Synthesized:
    return synthesize(DEV)


@pytest.fixture
def prod() -> Synthesized:
    return synthesize(PROD)


@pytest.fixture
def local() -> Synthesized:
    return synthesize(LOCAL)


@pytest.fixture
def everything() -> Synthesized:
    """Return prod with every part that is optional and new."""
    return deployment(EVERYTHING)


@pytest.fixture
def customized() -> Stack:
    """Return the service of dev with other values of many settings."""
    return synthesize(
        "dev",
        mfa_issuer="Käse & Co",
        required_scope="mfa/manage",
        cors_allowed_origins="https://a.example,https://b.example",
        cors_allowed_headers="X-Trace-Id",
        log_level="DEBUG",
        memory_mb="2048",
        timeout_seconds="10",
        snap_start="true",
        architecture="x86_64",
        max_auth_age_seconds="300",
        event_bus="arn:aws:events:eu-central-1:123456789012:event-bus/security",
        **{"functions.setup_mfa.snap_start": "false"},
    ).service


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> str:
    """Return the name of every environment, one after the other."""
    return str(request.param)


@pytest.fixture
def each(environment: str) -> Synthesized:
    """Return every environment, one after the other."""
    return synthesize(environment)


@pytest.fixture
def service(each: Synthesized) -> Stack:
    """Return the service stack of every environment, one after the other."""
    return each.service
