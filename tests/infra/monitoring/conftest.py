"""The stacks, synthesized once: JSII takes seconds."""

from copy import replace

import pytest

from infra.config import ENVIRONMENTS
from tests.infra.monitoring.templates import Monitoring


@pytest.fixture(scope="session")
def prod() -> Monitoring:
    """Production with everything that is optional."""
    config = replace(
        ENVIRONMENTS["prod"].monitoring,
        alert_emails=("team@example.com",),
        page_urls=("https://pager.example.com/sns",),
        page_emails=("night@example.com",),
        runbook_url="https://git.example.com/mfa/blob/main/docs/runbook.md",
        quiet_hours=3,
    )
    return Monitoring.synthesize("prod", config)


@pytest.fixture(scope="session")
def dev() -> Monitoring:
    return Monitoring.synthesize("dev", ENVIRONMENTS["dev"].monitoring)


@pytest.fixture(scope="session")
def local() -> Monitoring:
    return Monitoring.synthesize("local", ENVIRONMENTS["local"].monitoring)
