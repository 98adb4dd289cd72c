"""Every alarm of the service as data. The template, the dashboard, the runbook and the tests follow from this list."""

from functions.shared.contract import SETUP_METRICS
from infra.config.monitoring import ALL, MonitoringConfig
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.endpoints import endpoint_rules
from infra.monitoring.rules.model import AlarmRule
from infra.monitoring.rules.platform import platform_rules
from infra.monitoring.rules.security import security_rules

#: The composite alarm: fires when any alarm that pages does.
PAGE_KEY = "page"


def alarm_rules(watched: WatchedResources, config: MonitoringConfig) -> tuple[AlarmRule, ...]:
    """Return the alarms of an environment, in the order of the runbook."""
    rules = (
        *endpoint_rules(watched, config.thresholds),
        *security_rules(watched, config.thresholds),
        *platform_rules(watched, config),
    )
    return rules if config.coverage == ALL else tuple(rule for rule in rules if _is_of_setup(rule))


def _is_of_setup(rule: AlarmRule) -> bool:
    """Return whether an alarm watches one of the six metrics of setup, and nothing else."""
    return rule.expression is None and all(each.name in SETUP_METRICS.names() for each in rule.series.values())
