"""The stack that watches all others, and that none of them depends on."""

from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import Stack
from constructs import Construct

from functions.shared import contract
from functions.shared.contract import Endpoint
from infra.config.monitoring import MonitoringConfig
from infra.monitoring.alarms import Alarms
from infra.monitoring.dashboard.functions import FunctionsDashboard
from infra.monitoring.dashboard.overview import Overview
from infra.monitoring.dashboard.widgets import OverviewDashboard
from infra.monitoring.queries import SavedQueries
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules import alarm_rules
from infra.monitoring.topics import AlertTopics


class MonitoringStack(Stack):
    """Topics, alarms, dashboards and saved queries of one environment.

    Parameters
    ----------
    scope, id
        As of every stack.
    environment
        Whose service is watched; part of every name.
    config
        Thresholds, and who is told.
    resources
        What is watched.
    endpoints
        The routes that are deployed.

    Attributes
    ----------
    topics
        Where alarms report to.
    alarms
        Every alarm, by key.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 (the name that every construct has)
        *,
        environment: str,
        config: MonitoringConfig,
        resources: WatchedResources,
        endpoints: Sequence[Endpoint] = contract.ENDPOINTS,
        **stack: Any,  # noqa: ANN401 (passed on to Stack)
    ) -> None:
        super().__init__(scope, id, **stack)
        rules = alarm_rules(environment=environment, resources=resources, config=config, endpoints=endpoints)
        overview = Overview(environment=environment, resources=resources, config=config, endpoints=endpoints)
        self.topics: Final = AlertTopics(self, "Topics", environment=environment, config=config)
        self.alarms: Final = Alarms(
            self, "Alarms", environment=environment, config=config, rules=rules, topics=self.topics
        )
        OverviewDashboard(
            self,
            "Overview",
            environment=environment,
            rows=overview.rows(),
            resources=resources,
            alarms=self.alarms,
            rules=rules,
        )
        FunctionsDashboard(self, "Functions", environment=environment, resources=resources)
        SavedQueries(self, "Queries", environment=environment, resources=resources)
