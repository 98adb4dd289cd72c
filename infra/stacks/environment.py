"""What all stacks of an environment have in common."""

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.config import Config
from infra.outputs import VERSION_TAG, StackId, stack_name
from infra.project import VERSION


class EnvironmentStack(Stack):
    """A stack that is named after its environment, and protected against termination if its data is kept.

    Parameters
    ----------
    stack
        Which stack it is.
    description
        What it contains, for the console.
    config
        The environment's settings.
    replica_region
        The region of a stack outside the environment's own region.
    """

    def __init__(
        self,
        scope: Construct,
        stack: StackId,
        description: str,
        *,
        config: Config,
        replica_region: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            f"{stack}-{replica_region}" if replica_region else stack,
            stack_name=stack_name(config.environment, stack, replica_region),
            description=f"{description} ({config.environment})",
            termination_protection=config.retain_data,
            tags={VERSION_TAG: VERSION},
            env=Environment(account=config.account, region=replica_region or config.region),
        )
