"""The monitoring of each environment, synthesized once."""

from collections.abc import Callable
from types import ModuleType

import pytest

from functions.shared.contract import Env
from tests.infra.monitoring.templates import Monitoring


@pytest.fixture(scope="session")
def prod() -> Monitoring:
    """Return production with everything that is optional."""
    return Monitoring.synthesize(
        "prod",
        proof_audience="my-api",
        alert_emails="team@example.com",
        page_urls="https://pager.example.com/sns",
        page_emails="night@example.com",
        runbook_url="https://git.example.com/mfa/blob/main/docs/runbook.md",
        quiet_hours="3",
    )


@pytest.fixture(scope="session")
def dev() -> Monitoring:
    return Monitoring.synthesize("dev")


@pytest.fixture(scope="session")
def dev_with_all_alarms() -> Monitoring:
    return Monitoring.synthesize("dev", coverage="all")


@pytest.fixture(scope="session")
def local() -> Monitoring:
    return Monitoring.synthesize("local")


@pytest.fixture
def authorizer(
    load_handler: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    """Return the authorizer's handler, which has logged nothing yet."""
    monkeypatch.setenv(Env.JWT_ISSUER, "https://issuer.example.com")
    monkeypatch.setenv(Env.JWT_AUDIENCE, "mfa")
    monkeypatch.setenv(Env.JWT_JWKS_URL, "https://issuer.example.com/jwks.json")
    handler = load_handler("jwt_authorizer")
    capsys.readouterr()
    return handler
