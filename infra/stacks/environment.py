"""What all stacks of an environment have in common."""

import hashlib
import json
from typing import Final

from aws_cdk import CfnResource, Environment, Stack
from constructs import Construct

from infra.config import Config
from infra.outputs import VERSION_TAG, StackId, stack_name
from infra.project import VERSION

#: Properties that change in place. A change of another one may replace the resource.
_CHANGE_IN_PLACE: Final = frozenset({"keyPolicy", "replicas"})


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

    def definition(self) -> str:
        """Return a digest of the stack's resources, which changes if a deployment may replace a resource.

        A stack that refers to this one uses it to deploy again after such a deployment: its references are resolved
        only then, and its own template would not change.
        """
        resources = {
            each.node.path: [each.cfn_resource_type, _properties(each)]
            for each in self.node.find_all()
            if isinstance(each, CfnResource)
        }
        return hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()


def _properties(resource: CfnResource) -> dict[str, object]:
    # CDK's constructs have no public way to read all properties.
    properties: dict[str, object] = Stack.of(resource).resolve(resource._cfn_properties)  # noqa: SLF001
    return {name: value for name, value in properties.items() if name not in _CHANGE_IN_PLACE}
