"""One environment: its stacks, and what each needs from the others."""

from typing import Final

from aws_cdk import Environment, Stage, Tags
from constructs import Construct

from infra.config import Config
from infra.constructs.function import CodeSource
from infra.constructs.token_issuer import TokenIssuer
from infra.stacks.data import DataStack
from infra.stacks.identity import IdentityStack
from infra.stacks.monitoring import MonitoringStack
from infra.stacks.replica import ReplicaStack
from infra.stacks.service import ServiceStack


class MfaStage(Stage):
    """The stacks of one environment, wired together.

    Parameters
    ----------
    scope
        The app.
    config
        The environment's settings.
    code
        The source of the functions' code.

    Attributes
    ----------
    data
        The stack of the table and the keys; None if all of them exist already.
    service
        The stack of the functions and the API.
    """

    def __init__(self, scope: Construct, *, config: Config, code: CodeSource) -> None:
        environment = Environment(account=config.account, region=config.region)
        super().__init__(scope, f"mfa-{config.environment}", env=environment)
        Tags.of(self).add("service", "mfa")
        Tags.of(self).add("environment", config.environment)

        self.data: DataStack | None = None
        # CloudFormation refuses a stack without resources.
        if not (config.users_table_name and config.secret_key_arn) or config.new_proof_keys:
            self.data = DataStack(self, config=config)
            for region in config.replica_regions:
                ReplicaStack(
                    self,
                    config=config,
                    region=region,
                    primary_key_arn=self.data.storage.secret_key_arn,
                    proof_key_arns={name: key.key_arn for name, key in self.data.proof_keys.items()},
                )
        self.service: Final = ServiceStack(
            self,
            config=config,
            storage=self.data.storage if self.data else None,
            token_issuer=TokenIssuer.configured(config) or IdentityStack(self, config=config).token_issuer,
            code=code,
        )
        MonitoringStack(self, config=config, watched=self.service.watched_resources())
