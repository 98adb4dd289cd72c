"""The second dashboard, one section per function: where an operator goes once the overview names a function."""

from typing import cast

import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.monitoring.resources import WatchedResources


class FunctionsDashboard(Construct):
    """Every function and the table in the detail that cdk-monitoring-constructs knows; no alarms.

    Parameters
    ----------
    environment : str
        Whose dashboard it is.
    resources : WatchedResources
        What is on it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: str,
        resources: WatchedResources,
    ) -> None:
        super().__init__(scope, id)
        self.name = f"mfa-{environment}-functions"
        facade = monitoring.MonitoringFacade(
            self,
            "Facade",
            alarm_factory_defaults=monitoring.AlarmFactoryDefaults(
                actions_enabled=False, alarm_name_prefix=f"mfa-{environment}"
            ),
            dashboard_factory=cast(
                "monitoring.IDynamicDashboardFactory",
                monitoring.DefaultDashboardFactory(
                    self,
                    "Factory",
                    dashboard_name_prefix=self.name,
                    create_summary_dashboard=False,
                    create_alarm_dashboard=False,
                ),
            ),
        )
        for watched in resources.functions:
            name = watched.name(environment)
            facade.monitor_lambda_function(
                lambda_function=lambda_.Function.from_function_name(self, watched.folder, name),
                human_readable_name=name,
                add_to_alarm_dashboard=False,
                add_to_summary_dashboard=False,
            )
        facade.monitor_dynamo_table(
            table=dynamodb.Table.from_table_name(self, "Table", resources.table_name),
            human_readable_name="users",
            add_to_alarm_dashboard=False,
            add_to_summary_dashboard=False,
        )
