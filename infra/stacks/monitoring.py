"""The stack that watches the service. No other stack depends on it."""

from constructs import Construct

from infra.config import ALL, Config
from infra.monitoring.alarms import Alarms
from infra.monitoring.dashboard.functions import FunctionsDashboard
from infra.monitoring.dashboard.overview import OverviewDashboard
from infra.monitoring.queries import SavedQueries
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules import alarm_rules
from infra.monitoring.topics import AlertTopics
from infra.outputs import StackId
from infra.stacks.environment import EnvironmentStack


class MonitoringStack(EnvironmentStack):
    """Topics, alarms, dashboards and saved queries of one environment.

    Parameters
    ----------
    config
        The environment's settings.
    watched
        The parts of the service, and their metrics.
    """

    def __init__(self, scope: Construct, *, config: Config, watched: WatchedResources) -> None:
        super().__init__(scope, StackId.MONITORING, "Dashboards and alarms of the MFA service", config=config)
        topics = AlertTopics(self, "Topics", config=config) if config.monitoring.notifies else None
        rules = alarm_rules(watched, config.monitoring)
        alarms = Alarms(self, "Alarms", config=config, rules=rules, topics=topics)
        OverviewDashboard(self, "Overview", watched=watched, config=config.monitoring, alarms=alarms)
        if config.monitoring.coverage == ALL:
            FunctionsDashboard(self, "Functions", watched=watched)
        SavedQueries(self, "Queries", watched=watched)
