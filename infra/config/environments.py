"""What differs between the environments."""

import platform
from collections.abc import Mapping
from typing import Final

from infra.config.model import DEV, LOCAL, PROD, Config
from infra.config.monitoring import SETUP, MonitoringConfig, Thresholds

ENVIRONMENTS: Final[Mapping[str, Config]] = {
    # docs/adr/0095
    DEV: Config(environment=DEV, monitoring=MonitoringConfig(coverage=SETUP)),
    PROD: Config(
        environment=PROD,
        cors_allowed_origins=("https://ailifestyle.app",),
        log_retention_days=365,
        snap_start=True,
        traffic_shift="canary-10-percent-5-minutes",
        retain_data=True,
        api_throttling_rate=500,
        api_throttling_burst=1000,
        api_enrolment_throttling_rate=100,
        api_enrolment_throttling_burst=200,
        waf=True,
        # On the default bus, every rule of the account could read these events, and every writer could forge them.
        event_bus=None,
        monitoring=MonitoringConfig(paging=True),
    ),
    LOCAL: Config(
        environment=LOCAL,
        log_retention_days=1,
        snap_start=True,
        # The emulator runs the functions on this machine.
        architecture="arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64",
        api_throttling_rate=500,
        api_throttling_burst=1000,
        api_enrolment_throttling_rate=500,
        api_enrolment_throttling_burst=1000,
        cognito_jwks_base_url="http://127.0.0.1:4566",
        import_principals=("arn:aws:iam::*:user/administrator",),
        proof_audience="protected-api",
        execute_api_base_url="http://127.0.0.1:4566/_aws/execute-api",
        # A single user can make every simple alarm fire with a few requests.
        monitoring=MonitoringConfig(
            thresholds=Thresholds(
                setup_attempts=20,
                setup_successes=10,
                setup_already_enabled=3,
                setup_unauthorized=3,
                errors=2,
                invalid_codes=10,
                replays=2,
                lockouts=2,
                backup_codes_used=5,
                conflicts=10,
                insufficient_scope=3,
            ),
        ),
    ),
}
