"""Every alarm of the service, as data: one list, from which CloudFormation, dashboard, runbook and tests follow."""

from collections.abc import Sequence

from functions.shared import contract
from functions.shared.contract import Endpoint
from infra.config.monitoring import MonitoringConfig
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.endpoints import endpoint_rules
from infra.monitoring.rules.model import AlarmRule
from infra.monitoring.rules.platform import platform_rules
from infra.monitoring.rules.security import security_rules

#: The composite alarm: fires when any rule of urgency PAGE does.
PAGE_KEY = "page"


def alarm_rules(
    *,
    environment: str,
    resources: WatchedResources,
    config: MonitoringConfig,
    endpoints: Sequence[Endpoint] = contract.ENDPOINTS,
) -> tuple[AlarmRule, ...]:
    """Return the alarms of an environment, in the order of the runbook.

    Raises
    ------
    ValueError
        If two rules share a name.
    """
    rules = (
        *endpoint_rules(environment, endpoints, config.thresholds),
        *security_rules(environment, resources, config.thresholds),
        *platform_rules(environment, resources, config),
    )
    keys = [rule.key for rule in rules]
    if repeated := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"alarms of the same name: {', '.join(sorted(repeated))}")
    return rules
