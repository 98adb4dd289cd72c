"""One environment: its stacks, and what each needs of the others."""

from typing import Any, Final

from aws_cdk import Environment, Stage, Tags
from constructs import Construct

from infra.config import Config
from infra.constructs.function import CodeSource
from infra.constructs.security_events import dead_letter_queue_name
from infra.constructs.token_issuer import Identity
from infra.monitoring.resources import WatchedFunction, WatchedResources
from infra.outputs import StackId, stack_name
from infra.stacks.data import DataStack
from infra.stacks.identity import IdentityStack
from infra.stacks.monitoring import MonitoringStack
from infra.stacks.replica import ReplicaStack
from infra.stacks.service import ServiceStack


class MfaStage(Stage):
    """The stacks of one environment, wired.

    Parameters
    ----------
    scope
        The app.
    config
        The environment's settings.
    code
        Where the functions' code comes from.

    Attributes
    ----------
    service, monitoring
        The stacks that every environment has.
    data
        The stack of the table and the key; None where both exist already.
    replicas
        The stacks of the replica regions, by region.
    identity
        The stack of the user pool; None where the configuration names an issuer.
    """

    def __init__(self, scope: Construct, *, config: Config, code: CodeSource) -> None:
        super().__init__(
            scope,
            f"mfa-{config.environment}",
            env=Environment(account=config.account, region=config.region),
        )
        Tags.of(self).add("service", "mfa")
        Tags.of(self).add("environment", config.environment)

        self.data: DataStack | None = None
        self.replicas: Final[dict[str, ReplicaStack]] = {}
        if not (config.users_table_name and config.secret_key_arn):  # a stack of nothing cannot be deployed
            self.data = DataStack(
                self, StackId.DATA, config=config, **_stack(config, StackId.DATA, "Table and key of the MFA service")
            )
            for region in config.replica_regions:
                self.replicas[region] = ReplicaStack(
                    self,
                    f"{StackId.REPLICA}-{region}",
                    config=config,
                    primary_key_arn=self.data.storage.secret_key_arn,
                    env=Environment(account=config.account, region=region),
                    **_stack(config, StackId.REPLICA, "Replica of the key of the MFA service")
                    | {"stack_name": stack_name(config.environment, StackId.REPLICA, region)},
                )
        self.identity: IdentityStack | None = None
        identity = Identity.configured(config)
        if identity is None:
            self.identity = IdentityStack(
                self,
                StackId.IDENTITY,
                config=config,
                **_stack(config, StackId.IDENTITY, "User pool of the MFA service"),
            )
            identity = self.identity.identity
        self.service: Final = ServiceStack(
            self,
            StackId.SERVICE,
            config=config,
            storage=self.data.storage if self.data else None,
            identity=identity,
            code=code,
            **_stack(config, StackId.SERVICE, "API and functions of the MFA service"),
        )
        self.monitoring: Final = MonitoringStack(
            self,
            StackId.MONITORING,
            environment=config.environment,
            config=config.monitoring,
            resources=self._watched(config),
            **_stack(config, StackId.MONITORING, "Dashboards and alarms of the MFA service"),
        )

    def _watched(self, config: Config) -> WatchedResources:
        return WatchedResources(
            api_name=self.service.rest_api.rest_api_name,
            access_log_name=self.service.access_log.log_group_name,
            functions=tuple(
                WatchedFunction(folder=function, timeout_seconds=config.timeout_seconds)
                for function in self.service.functions
            ),
            table_name=self.service.storage.table.table_name,
            secret_key_arn=self.service.storage.secret_key_arn,
            dead_letter_queue_name=(
                dead_letter_queue_name(config.environment) if self.service.security_events else None
            ),
        )


def _stack(config: Config, stack: StackId, description: str) -> dict[str, Any]:
    """Return the properties that all stacks have."""
    return {
        "stack_name": stack_name(config.environment, stack),
        "description": f"{description} ({config.environment})",
        "termination_protection": config.retain_data,
    }
